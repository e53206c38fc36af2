package fault_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/chaos/fault"
	"tiffin/local/port"
)

// lane gives the same fault again and again, and ends the campaign with the
// third.
type lane struct {
	given int
	stop  context.CancelFunc
}

func (l *lane) Next() fault.Fault {
	if l.given++; l.given == 3 {
		l.stop()
	}
	return fault.Fault{Kind: fault.Kill, Target: "nats", Hold: time.Millisecond}
}

func TestWhatIsBegunIsEnded(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	l, begun, ended := &lane{stop: stop}, 0, 0
	count := func(n *int) func(fault.Fault) error { return func(fault.Fault) error { *n++; return nil } }
	require.NoError(t, fault.Follow(ctx, l, slog.New(slog.DiscardHandler), count(&begun), count(&ended)))
	require.Equal(t, []int{3, 3}, []int{begun, ended}, "also when time was over in between")

	refuse := func(fault.Fault) error { return errors.New("no such process") }
	err := fault.Follow(t.Context(), &lane{stop: stop}, slog.New(slog.DiscardHandler), refuse, refuse)
	require.EqualError(t, err, "kill nats for 1ms: no such process")
	err = fault.Follow(t.Context(), &lane{stop: stop}, slog.New(slog.DiscardHandler), count(&begun), refuse)
	require.EqualError(t, err, "heal kill nats for 1ms: no such process")
}

func TestBetweenIsBetween(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		d := fault.Between(r, time.Second, 2*time.Second)
		require.True(t, d >= time.Second && d <= 2*time.Second, d)
		require.Contains(t, []string{"a", "b"}, fault.Pick(r, "a", "b"))
	}
}

// TestALinkFails: cut refuses, frozen waits, slow is late, and healed is as if
// nothing had been.
func TestALinkFails(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	t.Cleanup(server.Close)
	ports, network := port.NewBook(), fault.NewNetwork()
	t.Cleanup(func() { require.NoError(t, errors.Join(network.Close(), ports.Close())) })
	number, err := ports.Take(27800)
	require.NoError(t, err)
	through, err := network.Link("link", server.URL, number)
	require.NoError(t, err)
	ask := func(patience time.Duration) error {
		client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Get(through) //nolint:noctx // the client has a timeout
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	require.NoError(t, ask(10*time.Second))
	for kind, patience := range map[fault.Kind]time.Duration{fault.Cut: 10 * time.Second, fault.Freeze: 200 * time.Millisecond, fault.Slow: 20 * time.Millisecond} {
		f := fault.Fault{Kind: kind, Target: "link"}
		require.NoError(t, network.Disturb(f))
		require.Error(t, ask(patience), kind)
		require.NoError(t, network.Heal(t.Context(), f))
		require.NoError(t, ask(10*time.Second), kind)
	}
}
