package bridge_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

// slowRate is what the line to the slow broker takes, in bytes a second: a few dozen of the test's events.
const slowRate = 200_000

// TestSlowBrokerGrowsNoMemory: behind a line that takes a small part of it in the time there is, a backlog of 40 MB stays in
// the stream. The bridge is a process of its own, so that its memory is its own.
func TestSlowBrokerGrowsNoMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broker := w.rabbit
	w.rabbit = slowLine(t, broker)
	process := w.spawn(faultWindow)
	w.rabbit = broker
	l := w.listen("kitchen")
	w.publish(orders(10)...)
	l.await(w.events)
	before := residentMiB(t, process.Process.Pid)

	backlog := make([]micro.Event, 10_000)
	for i := range backlog {
		backlog[i] = created(fmt.Sprint("big-", i))
		backlog[i].Payload = bytes.Replace(backlog[i].Payload, []byte("San Francisco"), bytes.Repeat([]byte("x"), 4000), 1)
	}
	_, err := micro.NewPublisher(w.js).PublishBatch(t.Context(), backlog)
	require.NoError(t, err)
	first := len(w.events)
	w.eventually(l, first+200) // it has been at work for seconds
	require.Greater(t, w.status().Lag, uint64(5000), "the line is slow")
	require.Less(t, residentMiB(t, process.Process.Pid)-before, 20, "MiB more than with nothing to do")
	consumer, err := w.nats.JS().Consumer(t.Context(), micro.StreamEvents, "bridge")
	require.NoError(t, err)
	require.LessOrEqual(t, consumer.CachedInfo().NumAckPending, 2*faultWindow)
	for i, d := range l.deliveries()[first : first+200] {
		require.Equal(t, backlog[i].ID, d.MessageId, "slow, and in order")
	}
}

// residentMiB is the memory a process has had at most.
func residentMiB(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "VmHWM:")
	require.True(t, found)
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return kib / 1024
}

// slowLine gives the URL of a broker behind a line that is slow in its direction.
func slowLine(t *testing.T, broker string) string {
	t.Helper()
	u, err := url.Parse(broker)
	require.NoError(t, err)
	target := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return // the test has ended
			}
			go carry(near, target)
		}
	}()
	u.Host = listener.Addr().String()
	return u.String()
}

// carry connects one side with the other until either ends.
func carry(near net.Conn, target string) {
	defer near.Close()
	far, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer far.Close()
	go func() {
		defer near.Close()
		_, err := io.Copy(near, far)
		_ = err // that it ended is all there is to know
	}()
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for range pace.C {
		if _, err := io.CopyN(far, near, slowRate/50); err != nil {
			return
		}
	}
}
