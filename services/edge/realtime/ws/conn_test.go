package ws_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/services/edge/realtime/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair gives both ends of a TCP connection.
func pair(t testing.TB) (server, client net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	client, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	server, err = ln.Accept()
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	t.Cleanup(func() { _, _ = server.Close(), client.Close() }) // most tests have closed them
	return server, client
}

// plainConn hides the socket, as TLS does.
type plainConn struct{ net.Conn }

// kinds are the two ways in which a Conn works.
func kinds(t *testing.T, test func(t *testing.T, wrap func(net.Conn) net.Conn, direct bool)) {
	t.Helper()
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		test(t, func(c net.Conn) net.Conn { return c }, true)
	})
	t.Run("wrapped", func(t *testing.T) {
		t.Parallel()
		test(t, func(c net.Conn) net.Conn { return plainConn{c} }, false)
	})
}

func TestReadLoop(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, wrap func(net.Conn) net.Conn, _ bool) {
		server, client := pair(t)
		c := ws.NewConn(wrap(server), []byte("early "))
		go func() {
			_, err := client.Write(bytes.Repeat([]byte("x"), 100_000))
			if err == nil {
				err = client.Close()
			}
			if err != nil {
				t.Error(err)
			}
		}()
		var all []byte
		err := c.ReadLoop(func(chunk []byte) error { all = append(all, chunk...); return nil })
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, "early "+string(bytes.Repeat([]byte("x"), 100_000)), string(all))
		c.Close()
	})
}

func TestReadLoopEnds(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, wrap func(net.Conn) net.Conn, _ bool) {
		server, client := pair(t)
		c := ws.NewConn(wrap(server), nil)
		c.LimitRead(20 * time.Millisecond)
		require.ErrorIs(t, c.ReadLoop(func([]byte) error { return nil }), os.ErrDeadlineExceeded)
		c.LimitRead(0)
		_, err := client.Write([]byte("x"))
		require.NoError(t, err)
		enough := errors.New("enough")
		require.ErrorIs(t, c.ReadLoop(func([]byte) error { return enough }), enough)
		done := make(chan error, 1)
		go func() { done <- c.ReadLoop(func([]byte) error { return nil }) }()
		c.Close()
		c.Close() // again is fine
		require.ErrorIs(t, <-done, net.ErrClosed)
	})
}

// TestWritesNeverWaitUnlessAsked: TryWrite takes what fits and Write waits, up to its timeout.
func TestWritesNeverWaitUnlessAsked(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, wrap func(net.Conn) net.Conn, direct bool) {
		server, client := pair(t)
		c := ws.NewConn(wrap(server), nil)
		n, err := c.TryWrite([]byte("hello"))
		require.NoError(t, err)
		if !direct {
			require.Zero(t, n)
			require.NoError(t, c.Write([]byte("hello"), time.Second))
		}
		buf := make([]byte, 5)
		_, err = io.ReadFull(client, buf)
		require.NoError(t, err)
		require.Equal(t, "hello", string(buf))

		big := make([]byte, 1<<20)
		for direct { // until both kernels are full
			if n, err = c.TryWrite(big); n < len(big) {
				require.NoError(t, err)
				break
			}
		}
		var timeout error
		for timeout == nil {
			timeout = c.Write(big, 50*time.Millisecond)
		}
		require.ErrorIs(t, timeout, os.ErrDeadlineExceeded)
		c.Close()
		if direct {
			_, err = c.TryWrite([]byte("x"))
			require.ErrorIs(t, err, net.ErrClosed)
		}
		require.ErrorIs(t, c.Write([]byte("x"), time.Second), net.ErrClosed)
	})
}

// TestDeadlineDoesNotOutliveItsWrite: a deadline left behind would make TryWrite fail some seconds later.
func TestDeadlineDoesNotOutliveItsWrite(t *testing.T) {
	t.Parallel()
	server, _ := pair(t)
	c := ws.NewConn(server, nil)
	require.NoError(t, c.Write([]byte("x"), 10*time.Millisecond))
	require.Never(t, func() bool { _, err := c.TryWrite([]byte("x")); return err != nil }, 60*time.Millisecond, 10*time.Millisecond)
}

func TestTryWriteAllocatesNothing(t *testing.T) {
	server, client := pair(t)
	c := ws.NewConn(server, nil)
	go func() { _, _ = io.Copy(io.Discard, client) }() // until the end of the test closes it
	frame := ws.AppendFrame(nil, ws.Text, make([]byte, 200))
	require.Zero(t, testing.AllocsPerRun(200, func() {
		if _, err := c.TryWrite(frame); err != nil {
			t.Error(err)
		}
	}))
}
