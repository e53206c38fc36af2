package bridge

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
)

func TestAckerTakesTheNewestFloor(t *testing.T) {
	t.Parallel()
	a := newAcker(nil, nil)
	require.Empty(t, a.take())
	a.delivered(3, "three")
	a.delivered(7, "seven")
	a.delivered(9, "nine")
	require.Empty(t, a.take(), "nothing is confirmed")
	a.raise(7)
	a.raise(3) // the later call carries the lower floor: two goroutines confirm
	require.Equal(t, "seven", a.take(), "it stands for all before it")
	require.Empty(t, a.take())
	a.raise(9)
	require.Equal(t, "nine", a.take())
	require.Empty(t, a.pending)
}

// A server that has just come back does not know its consumers yet. What was acknowledged then must be acknowledged
// again, also when nothing newer follows: a server that waits for it delivers nothing newer.
func TestAcknowledgementsThatFailAreSentAgain(t *testing.T) {
	t.Parallel()
	conn := testenv.NATS(t).Conn("ops")
	failed := make(chan struct{}, 1)
	a := newAcker(conn, slog.New(slog.NewTextHandler(signal(failed), nil)))
	subject := nats.NewInbox()
	a.delivered(1, subject)
	a.raise(1)
	ended := make(chan struct{})
	go func() { defer close(ended); a.run(t.Context()) }()
	<-failed // nobody listens yet

	acknowledged := make(chan struct{})
	var once sync.Once
	_, err := conn.Subscribe(subject, func(m *nats.Msg) {
		once.Do(func() { close(acknowledged) })
		require.NoError(t, m.Respond(nil))
	})
	require.NoError(t, err)
	select {
	case <-acknowledged:
	case <-time.After(10 * time.Second):
		require.Fail(t, "not sent again")
	}
	a.close()
	<-ended
}

// signal is a log that tells when something was written to it.
type signal chan<- struct{}

func (s signal) Write(p []byte) (int, error) {
	select {
	case s <- struct{}{}:
	default:
	}
	return len(p), nil
}
