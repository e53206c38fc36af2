package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/local/testenv"
	"tiffin/services/edge/realtime/live"
	"tiffin/services/tracking"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink remembers what was heard.
type sink struct {
	mu        sync.Mutex
	messages  map[string][]string
	confirmed map[string]int
}

func (s *sink) Deliver(orderID, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages[orderID] = append(s.messages[orderID], message)
}

func (s *sink) Confirmed(orderID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.confirmed[orderID]++
}

func (s *sink) confirmations(orderID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.confirmed[orderID]
}

func (s *sink) heard(orderID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages[orderID]
}

// listen runs a listener on a Redis that the test may stop.
func listen(t *testing.T) (*live.Listener, *sink, *redis.Client, *testenv.Server) {
	t.Helper()
	own := testenv.OwnRedis(t)
	opts, err := redis.ParseURL(own.URL)
	require.NoError(t, err)
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = time.Second, time.Second, time.Second
	client := redis.NewClient(opts)
	l := live.New(client, slog.New(slog.DiscardHandler))
	s := &sink{messages: map[string][]string{}, confirmed: map[string]int{}}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, s) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
		require.NoError(t, client.Close())
	})
	eventually(t, l.Up)
	return l, s, client, own
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 30*time.Second, 5*time.Millisecond)
}

func publish(t *testing.T, client *redis.Client, orderID, message string) {
	t.Helper()
	require.NoError(t, client.Publish(t.Context(), tracking.LiveChannel(orderID), message).Err())
}

func TestWatchedOrdersAreHeard(t *testing.T) {
	t.Parallel()
	l, s, client, _ := listen(t)
	one, two := uuid.NewString(), uuid.NewString()
	l.Watch(one)
	eventually(t, func() bool { return s.confirmations(one) == 1 })
	for i := range 100 {
		publish(t, client, one, fmt.Sprint(i))
	}
	publish(t, client, two, "unheard")
	eventually(t, func() bool { return len(s.heard(one)) == 100 })
	for i, m := range s.heard(one) {
		require.Equal(t, fmt.Sprint(i), m)
	}
	require.Empty(t, s.heard(two))

	l.Unwatch(one)
	eventually(t, func() bool { return subscribers(t, client, one) == 0 })
	l.Watch(one)
	eventually(t, func() bool { return s.confirmations(one) == 2 })
}

func subscribers(t *testing.T, client *redis.Client, orderID string) int64 {
	t.Helper()
	channel := tracking.LiveChannel(orderID)
	return client.PubSubNumSub(t.Context(), channel).Val()[channel]
}

// TestNewRoomIsConfirmedOnItsOwn: the room of an order vanishes and another appears before Redis was told of the first.
func TestNewRoomIsConfirmedOnItsOwn(t *testing.T) {
	t.Parallel()
	l, s, client, _ := listen(t)
	id := uuid.NewString()
	for round := range 20 {
		before := s.confirmations(id)
		l.Watch(id)
		l.Unwatch(id)
		l.Watch(id)
		eventually(t, func() bool { return s.confirmations(id) > before })
		l.Unwatch(id)
		l.Watch(id)
		eventually(t, func() bool { return s.confirmations(id) > before+1 })
		require.EqualValues(t, 1, subscribers(t, client, id), round)
	}
}

func TestManyOrders(t *testing.T) {
	t.Parallel()
	l, s, client, _ := listen(t)
	ids := make([]string, 3000)
	for i := range ids {
		ids[i] = uuid.NewString()
		l.Watch(ids[i])
	}
	for _, id := range ids {
		eventually(t, func() bool { return s.confirmations(id) > 0 })
	}
	for _, id := range ids {
		l.Unwatch(id)
	}
	eventually(t, func() bool { return len(client.PubSubChannels(t.Context(), "*").Val()) == 0 })
}

// TestRedisComesBack: everything is confirmed once more, which tells that something may be missing.
func TestRedisComesBack(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct{ off, on func(*testenv.Server) }{
		"killed": {(*testenv.Server).Kill, (*testenv.Server).Start},
		"frozen": {(*testenv.Server).Pause, (*testenv.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, s, client, own := listen(t)
			kept, dropped := uuid.NewString(), uuid.NewString()
			l.Watch(kept)
			l.Watch(dropped)
			eventually(t, func() bool { return s.confirmations(kept) == 1 && s.confirmations(dropped) == 1 })
			how.off(own)
			eventually(t, func() bool { return !l.Up() })
			l.Unwatch(dropped)
			how.on(own)
			eventually(t, func() bool { return l.Up() && s.confirmations(kept) >= 2 })
			publish(t, client, kept, "again")
			eventually(t, func() bool { return len(s.heard(kept)) == 1 })
			require.Equal(t, 1, s.confirmations(dropped))
		})
	}
}
