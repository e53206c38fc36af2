package bridge

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pair gives a netConn and the other end of its connection.
func pair(t *testing.T) (*netConn, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	conn, err := dialTCP("tcp", listener.Addr().String())
	require.NoError(t, err)
	other, err := listener.Accept()
	require.NoError(t, err)
	mine, ok := conn.(*netConn)
	require.True(t, ok)
	return mine, other
}

func TestNetConnWritesEverythingInOrder(t *testing.T) {
	t.Parallel()
	conn, other := pair(t)
	var want bytes.Buffer
	got := make(chan []byte)
	go func() {
		data, err := io.ReadAll(other)
		if err == nil {
			err = other.Close()
		}
		if err != nil {
			t.Error(err)
		}
		got <- data
	}()
	for i := range 20_000 {
		line := bytes.Repeat([]byte{byte(i)}, i%300)
		want.Write(line)
		n, err := conn.Write(line)
		require.NoError(t, err)
		require.Equal(t, len(line), n)
	}
	require.NoError(t, conn.Close(), "and what is left")
	require.True(t, bytes.Equal(want.Bytes(), <-got))
	_, err := conn.Write([]byte("late"))
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestNetConnReportsAFailedWrite(t *testing.T) {
	t.Parallel()
	conn, other := pair(t)
	require.NoError(t, other.Close())
	require.Eventually(t, func() bool {
		_, err := conn.Write([]byte("x"))
		return err != nil
	}, 5*time.Second, time.Millisecond)
	require.NoError(t, conn.Close())
}

// TestNetConnHoldsAWriterBack: a broker that stands still costs a bounded amount of memory, and Close gets away.
func TestNetConnHoldsAWriterBack(t *testing.T) {
	t.Parallel()
	conn, other := pair(t)
	chunk := make([]byte, 64<<10)
	var written sync.WaitGroup
	var total int
	written.Go(func() {
		for {
			n, err := conn.Write(chunk)
			if err != nil {
				return
			}
			total += n
		}
	})
	require.Eventually(t, func() bool {
		conn.mu.Lock()
		defer conn.mu.Unlock()
		return len(conn.unsent) > maxUnsent
	}, 5*time.Second, time.Millisecond)
	started := time.Now()
	require.NoError(t, conn.Close())
	require.Less(t, time.Since(started), writeTimeout)
	written.Wait()
	require.Less(t, total, 32<<20, "the kernel's buffers and ours")
	require.NoError(t, other.Close())
}
