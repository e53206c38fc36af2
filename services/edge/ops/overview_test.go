package ops_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/edge/ops"
	"tiffin/services/order"
)

// rig is a board in front of one service, which notes who asked, and a clock
// that the test sets.
type rig struct {
	*ops.Board
	began time.Time
	now   atomic.Int64 // ms since began
	asked chan micro.Actor
	gate  chan struct{} // what the service waits for before each answer
	stop  func()        // ends the board's Run and waits for it
}

func newRig(t *testing.T) *rig {
	t.Helper()
	b := &rig{began: time.UnixMilli(1764000000000), asked: make(chan micro.Actor, 100), gate: make(chan struct{}, 1)}
	server := testenv.NATS(t)
	svc := micro.NewService(micro.ServiceConfig{Name: order.ServiceName, Version: "1.0.0", Conn: server.Conn(order.ServiceName)})
	micro.Handle(svc, order.VerbOverview, "Test endpoint.", func(ctx context.Context, _ order.OverviewRequest) (order.Overview, error) {
		b.asked <- micro.ActorFrom(ctx)
		<-b.gate
		return order.Overview{}, nil
	})
	run(t, svc.Run)
	<-svc.Ready()

	conn := server.Conn("edge")
	cfg := ops.Config{Conn: conn, Client: micro.NewClient(conn, micro.ClientConfig{})}
	b.Board = ops.NewBoard(cfg, ops.NewReadiness(cfg), ops.NewCensus(nil, nil), nil, func() time.Time { return b.at(b.now.Load()) })
	b.stop = run(t, b.Run)
	return b
}

// run runs until the test ends, or until stop is called.
func run(t *testing.T, loop func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- loop(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// at is that many ms after the beginning.
func (b *rig) at(ms int64) time.Time { return b.began.Add(time.Duration(ms) * time.Millisecond) }

// look is what an administrator sees at that many ms, and when it was gathered.
func (b *rig) look(t *testing.T, ms int64) (gathered time.Time) {
	t.Helper()
	b.now.Store(ms)
	ctx, cancel := context.WithCancel(micro.WithActor(t.Context(), micro.Actor{Role: auth.RoleAdmin, ID: "ada"}))
	defer cancel() // as a request that was answered
	o, err := b.Overview(ctx)
	require.NoError(t, err)
	require.NotContains(t, o.Unavailable, "orders")
	return o.At.Time
}

// asker waits for the next one in whose name the service was asked.
func (b *rig) asker(t *testing.T) micro.Actor {
	t.Helper()
	select {
	case actor := <-b.asked:
		return actor
	case <-time.After(10 * time.Second):
		require.FailNow(t, "nothing is gathered")
		return micro.Actor{}
	}
}

// While somebody looks, nobody waits: the next figures are gathered when the old
// ones are about to be too old, for those who ask then.
func TestOverviewIsGatheredAhead(t *testing.T) {
	t.Parallel()
	b := newRig(t)
	close(b.gate)
	require.WithinDuration(t, b.at(0), b.look(t, 0), 0)
	require.Equal(t, micro.Actor{Role: auth.RoleAdmin, ID: "ada"}, b.asker(t))
	for _, ms := range []int64{500, 749, 800} {
		require.WithinDuration(t, b.at(0), b.look(t, ms), 0)
	}
	require.Equal(t, micro.Actor{Role: auth.RoleAdmin, ID: "ada"}, b.asker(t), "services authorise the administrator")
	for _, ms := range []int64{1000, 1549} { // at the first of them it may still be under way
		require.WithinDuration(t, b.at(800), b.look(t, ms), 0)
	}
	b.stop()
	require.Empty(t, b.asked, "once each")
}

// After a rest the first one waits for figures of now.
func TestOverviewAfterARest(t *testing.T) {
	t.Parallel()
	b := newRig(t)
	close(b.gate)
	for _, ms := range []int64{0, 1000, 60_000} {
		require.WithinDuration(t, b.at(ms), b.look(t, ms), 0)
	}
	b.stop()
	require.Len(t, b.asked, 3)
}

// However many ask at once, and whether or not there are figures for them, one
// gathering is for all.
func TestOverviewIsGatheredOnceForMany(t *testing.T) {
	t.Parallel()
	b := newRig(t)
	close(b.gate)
	for i, tc := range []struct{ ms, gathered int64 }{{0, 0}, {800, 0}, {1000, 800}, {1800, 1800}} {
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if got := b.look(t, tc.ms); !got.Equal(b.at(tc.gathered)) {
					t.Errorf("at %d ms: gathered at %s", tc.ms, got)
				}
			})
		}
		all.Wait()
		if i != 2 { // the figures of 800 ms serve at 1000
			b.asker(t)
		}
	}
	b.stop()
	require.Empty(t, b.asked)
}

// A board that is to end does not wait for a service that does not answer.
func TestBoardEndsWhileItGathers(t *testing.T) {
	t.Parallel()
	b := newRig(t)
	defer close(b.gate)
	b.gate <- struct{}{}
	b.look(t, 0)
	b.asker(t)
	require.WithinDuration(t, b.at(0), b.look(t, 800), 0, "nor does who asked")
	b.asker(t)
	began := time.Now()
	b.stop()
	require.Less(t, time.Since(began), time.Second)
}
