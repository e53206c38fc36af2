package socket_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/socket"
	"tiffin/services/edge/realtime/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is the other end of a socket, over real TCP.
type client struct {
	t testing.TB
	*bufio.Reader
	net.Conn
}

func (c *client) Read(b []byte) (int, error) { return c.Reader.Read(b) }

// tcp gives both ends of a connection.
func tcp(t testing.TB) (net.Conn, *client) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	far, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	require.NoError(t, far.(*net.TCPConn).SetReadBuffer(16<<10))
	near, err := ln.Accept()
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	t.Cleanup(func() { _, _ = near.Close(), far.Close() }) // most tests have closed them
	return near, &client{t, bufio.NewReader(far), far}
}

// pair gives a socket and its client. hidden hides the descriptor, as TLS does.
func pair(t testing.TB, onShed func(), hidden bool) (*socket.Socket, *client) {
	t.Helper()
	near, far := tcp(t)
	if hidden {
		near = struct{ net.Conn }{near}
	}
	s := socket.New(frame.JSON, ws.NewConn(near, nil), onShed)
	t.Cleanup(s.Finish)
	return s, far
}

// next reads a frame.
func (c *client) next() (op byte, payload string) {
	c.t.Helper()
	require.NoError(c.t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	var head [2]byte
	_, err := io.ReadFull(c.Reader, head[:])
	require.NoError(c.t, err)
	n := int(head[1])
	if n == 126 {
		var ext [2]byte
		_, err = io.ReadFull(c.Reader, ext[:])
		require.NoError(c.t, err)
		n = int(binary.BigEndian.Uint16(ext[:]))
	}
	body := make([]byte, n)
	_, err = io.ReadFull(c.Reader, body)
	require.NoError(c.t, err)
	return head[0] & 0x0f, string(body)
}

func text(s string) *frame.Frame { return frame.Text(frame.JSON, []byte(s)) }

func TestFramesArriveInOrder(t *testing.T) {
	t.Parallel()
	for _, hidden := range []bool{false, true} {
		s, c := pair(t, nil, hidden)
		for _, m := range []string{"a", "b", "c"} {
			s.Send(text(m), nil)
		}
		for _, want := range []string{"a", "b", "c"} {
			_, got := c.next()
			require.Equal(t, want, got)
		}
		require.False(t, s.Polling())
		require.Equal(t, frame.JSON, s.Form())
	}
}

// fill writes until neither kernel takes more and something is queued.
func fill(t testing.TB, s *socket.Socket) (frames int) {
	t.Helper()
	big := text(strings.Repeat("x", 8<<10))
	for s.Drained() {
		s.Send(big, nil)
		frames++
		require.Less(t, frames, 10_000)
	}
	return frames
}

// TestNewerPositionReplacesOlder while the client does not read; changes are all kept, in their order.
func TestNewerPositionReplacesOlder(t *testing.T) {
	t.Parallel()
	s, c := pair(t, nil, false)
	filled := fill(t, s)
	roomA, roomB := new(int), new(int)
	s.Send(text("a1"), roomA)
	s.Send(text("change 1"), nil)
	s.Send(text("b1"), roomB)
	for range 1000 {
		s.Send(text("a2"), roomA)
		s.Send(text("b2"), roomB)
	}
	s.Send(text("change 2"), nil)
	for range filled {
		c.next()
	}
	for _, want := range []string{"a2", "change 1", "b2", "change 2"} {
		_, got := c.next()
		require.Equal(t, want, got)
	}
	s.Send(text("direct again"), nil)
	_, got := c.next()
	require.Equal(t, "direct again", got)
}

// TestFullQueueClosesTheSocket with the code that says to come back.
func TestFullQueueClosesTheSocket(t *testing.T) {
	t.Parallel()
	var shed atomic.Int32
	s, c := pair(t, func() { shed.Add(1) }, false)
	fill(t, s)
	for range 1000 {
		s.Send(text("change"), nil)
	}
	require.True(t, s.Closing())
	require.EqualValues(t, 1, shed.Load())
	for {
		if op, payload := c.next(); op == 8 {
			require.Equal(t, "\x11\x38", payload[:2], "4408")
			return
		}
	}
}

// TestClientThatNeverReadsIsGivenUp: even the close frame does not fit.
func TestClientThatNeverReadsIsGivenUp(t *testing.T) {
	t.Parallel()
	shed := make(chan struct{}, 1)
	s, _ := pair(t, func() { shed <- struct{}{} }, false)
	fill(t, s)
	select {
	case <-shed:
	case <-time.After(20 * time.Second):
		require.FailNow(t, "still waiting for a client that does not read")
	}
	s.Finish()
}

// TestSendNeverBlocks whatever the client does.
func TestSendNeverBlocks(t *testing.T) {
	t.Parallel()
	s, _ := pair(t, nil, true)
	start := time.Now()
	for range 10_000 {
		s.Send(text(strings.Repeat("x", 1000)), nil)
	}
	require.Less(t, time.Since(start), 2*time.Second)
}

func TestShutAfterWhatIsQueued(t *testing.T) {
	t.Parallel()
	for _, hidden := range []bool{false, true} {
		s, c := pair(t, nil, hidden)
		filled := fill(t, s)
		s.Send(text("last"), nil)
		require.True(t, s.Shut(1001, "bye"))
		require.False(t, s.Shut(1000, "again"))
		s.Send(text("too late"), nil)
		for range filled {
			c.next()
		}
		_, got := c.next()
		require.Equal(t, "last", got)
		op, payload := c.next()
		require.EqualValues(t, 8, op)
		require.Equal(t, "\x03\xe9bye", payload)
		s.Flush(time.Second)
		s.Finish()
		_, err := c.Reader.ReadByte()
		require.ErrorIs(t, err, io.EOF)
	}
}

// TestFinishJoinsTheWriter: after it nobody writes, however many were about to.
func TestFinishJoinsTheWriter(t *testing.T) {
	t.Parallel()
	for range 50 {
		s, _ := pair(t, nil, false)
		fill(t, s)
		var senders sync.WaitGroup
		for range 4 {
			senders.Go(func() {
				for range 100 {
					s.Send(text("x"), nil)
				}
			})
		}
		s.Finish()
		s.Finish()
		senders.Wait()
		s.Send(text("x"), nil)
		s.Flush(time.Second)
	}
}

func TestConcurrentSendersDoNotMixFrames(t *testing.T) {
	t.Parallel()
	s, c := pair(t, nil, false)
	const senders, each = 8, 30
	for i := range senders {
		go func() {
			for range each {
				s.Send(text(strings.Repeat(string(rune('a'+i)), 300)), nil)
			}
		}()
	}
	for range senders * each {
		_, got := c.next()
		require.Equal(t, strings.Repeat(got[:1], 300), got)
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	s, c := pair(t, nil, false)
	require.False(t, s.Silent())
	s.Beat(frame.Control(frame.JSON, ws.Ping, nil))
	require.True(t, s.Silent())
	op, _ := c.next()
	require.EqualValues(t, 9, op)
	s.Heard()
	require.False(t, s.Silent())
}

func BenchmarkSend(b *testing.B) {
	s, c := pair(b, nil, false)
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.Copy(io.Discard, c.Conn) }() // until the socket is finished
	f := text(strings.Repeat("x", 220))
	slot := new(int)
	b.ReportAllocs()
	for b.Loop() {
		s.Send(f, slot)
	}
	s.Finish()
	<-done
}

func TestSendAllocatesNothing(t *testing.T) {
	s, c := pair(t, nil, false)
	go func() { _, _ = io.Copy(io.Discard, c.Conn) }() // until the end of the test closes it
	f, slot := text(strings.Repeat("x", 220)), new(int)
	require.LessOrEqual(t, testing.AllocsPerRun(500, func() { s.Send(f, slot) }), 0.1)
}

func TestPooledBuffersAreNotShared(t *testing.T) {
	t.Parallel()
	one, c1 := pair(t, nil, true) // every frame goes through a drain
	two, c2 := pair(t, nil, true)
	go func() {
		for range 200 {
			one.Send(text(strings.Repeat("1", 500)), nil)
			two.Send(text(strings.Repeat("2", 500)), nil)
			one.Flush(time.Second)
			two.Flush(time.Second)
		}
	}()
	for range 200 {
		_, got := c1.next()
		require.Equal(t, bytes.Repeat([]byte("1"), 500), []byte(got))
		_, got = c2.next()
		require.Equal(t, bytes.Repeat([]byte("2"), 500), []byte(got))
	}
}
