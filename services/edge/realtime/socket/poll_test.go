package socket_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/socket"
	"tiffin/services/edge/realtime/ws"
)

func packet(s string) *frame.Frame { return frame.Text(frame.SocketIO, []byte(s)) }

// poll gives the payload of a poll that must succeed. The moment in which waitUntilPolled looks is passed over.
func poll(t testing.TB, s *socket.Socket) (string, bool) {
	t.Helper()
	for {
		payload, last, err := s.Poll(5 * time.Second)
		if errors.Is(err, socket.ErrOverlap) {
			continue
		}
		require.NoError(t, err)
		return string(payload), last
	}
}

func TestPollGivesEverythingQueued(t *testing.T) {
	t.Parallel()
	s := socket.New(frame.SocketIO, nil, nil)
	require.True(t, s.Polling())
	slot := new(int)
	s.Send(packet("4a"), nil)
	s.Send(packet("4old"), slot)
	s.Send(packet("4new"), slot)
	got, last := poll(t, s)
	require.Equal(t, "4a\x1e4new", got)
	require.False(t, last)
	require.True(t, s.Drained())
}

func TestPollWaits(t *testing.T) {
	t.Parallel()
	s := socket.New(frame.SocketIO, nil, nil)
	got := make(chan string)
	go func() { p, _ := poll(t, s); got <- p }()
	waitUntilPolled(t, s)
	s.Send(packet("4a"), nil)
	require.Equal(t, "4a", <-got)
	payload, _, err := s.Poll(time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, "6", string(payload), "a noop when the time is up")
}

// waitUntilPolled waits until a poll is waiting.
func waitUntilPolled(t testing.TB, s *socket.Socket) {
	t.Helper()
	require.Eventually(t, func() bool { _, _, err := s.Poll(0); return err != nil }, 5*time.Second, time.Millisecond)
}

func TestSecondPollIsAnError(t *testing.T) {
	t.Parallel()
	s := socket.New(frame.SocketIO, nil, nil)
	var first sync.WaitGroup
	first.Go(func() { poll(t, s) }) // ends with Finish
	waitUntilPolled(t, s)
	_, _, err := s.Poll(time.Second)
	require.ErrorIs(t, err, socket.ErrOverlap)
	s.Finish()
	first.Wait()
	_, _, err = s.Poll(time.Second)
	require.ErrorIs(t, err, socket.ErrClosed)
}

func TestShutReachesThePoll(t *testing.T) {
	t.Parallel()
	s := socket.New(frame.SocketIO, nil, nil)
	s.Send(packet("4last"), nil)
	require.True(t, s.Shut(1001, ""))
	require.False(t, s.Shut(1001, ""))
	got, last := poll(t, s)
	require.Equal(t, "4last\x1e1", got)
	require.True(t, last)
	_, _, err := s.Poll(time.Second)
	require.ErrorIs(t, err, socket.ErrClosed)
}

func TestPollingQueueIsBounded(t *testing.T) {
	t.Parallel()
	shed := 0
	s := socket.New(frame.SocketIO, nil, func() { shed++ })
	for range 1000 {
		s.Send(packet(strings.Repeat("x", 1000)), nil)
	}
	require.Equal(t, 1, shed)
	got, last := poll(t, s)
	require.Equal(t, "1", got)
	require.True(t, last)
}

// TestUpgrade: what is queued while the client moves arrives on the new connection, and nothing is sent twice.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	c, conn := upgradable(t)
	s := socket.New(frame.SocketIO, nil, nil)
	t.Cleanup(s.Finish)
	require.False(t, s.Upgrade(conn), "not probed")
	waiting := make(chan string)
	go func() { p, _ := poll(t, s); waiting <- p }()
	waitUntilPolled(t, s)
	require.True(t, s.Probe())
	require.Equal(t, "6", <-waiting)
	require.False(t, s.Probe(), "one at a time")
	s.Send(packet("4queued"), nil)
	require.True(t, s.Upgrade(conn))
	s.Send(packet("4later"), nil)
	_, _, err := s.Poll(time.Second)
	require.ErrorIs(t, err, socket.ErrMoved)
	for _, want := range []string{"4queued", "4later"} {
		_, got := c.next()
		require.Equal(t, want, got)
	}
}

func TestUpgradeGivenUp(t *testing.T) {
	t.Parallel()
	s := socket.New(frame.SocketIO, nil, nil)
	require.True(t, s.Probe())
	got, _ := poll(t, s)
	require.Equal(t, "6", got, "polls do not wait while the client may move")
	s.Unprobe()
	s.Send(packet("4a"), nil)
	got, _ = poll(t, s)
	require.Equal(t, "4a", got)
	s.Finish()
	require.False(t, s.Probe())
	_, conn := upgradable(t)
	require.False(t, s.Upgrade(conn))
}

// upgradable gives a connection and its client.
func upgradable(t testing.TB) (*client, *ws.Conn) {
	t.Helper()
	near, far := tcp(t)
	return far, ws.NewConn(near, nil)
}
