package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNothingIsMissingAndNothingOvertakes writes from many transactions that
// commit in random order, while relays are stopped, killed by ending their
// sessions, doubled, and NATS goes away and comes back. Afterwards the stream
// holds every event, and the first occurrences of each key's events are in the
// order of their versions.
func TestNothingIsMissingAndNothingOvertakes(t *testing.T) {
	t.Parallel()
	const writers, each, keys = 8, 150, 10
	b := newBench(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)

	var lock sync.Mutex
	want := map[string]bool{}
	ctx, done := context.WithCancel(context.Background())
	var writing, disturbing sync.WaitGroup
	for w := range writers {
		random := rand.New(rand.NewPCG(seed, uint64(w)))
		writing.Go(func() {
			for range each {
				id, err := b.advance(ctx, fmt.Sprintf("key-%d", random.IntN(keys)), func() { linger(random) })
				require.NoError(t, err)
				lock.Lock()
				want[id] = true
				lock.Unlock()
			}
		})
	}
	disturbing.Go(func() { b.disturb(ctx, rand.New(rand.NewPCG(seed, 99))) })
	writing.Wait()
	done()
	disturbing.Wait()
	b.relay(nil)
	require.Eventually(t, func() bool { return b.count("sent_at is null") == 0 }, soon, often)
	b.requireAllInOrder(want)
}

// linger holds a transaction open for a random moment, so that commits come in
// another order than begins.
func linger(random *rand.Rand) {
	timer := time.NewTimer(time.Duration(random.IntN(4)) * time.Millisecond)
	defer timer.Stop()
	<-timer.C
}

// disturb starts, stops and breaks relays and their servers until ctx ends.
func (b *bench) disturb(ctx context.Context, random *rand.Rand) {
	ticker := time.NewTicker(40 * time.Millisecond)
	defer ticker.Stop()
	running := []func(){b.relay(nil), b.relay(nil)}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		switch random.IntN(8) {
		case 0, 1, 2:
			i := random.IntN(len(running))
			running[i]()
			running[i] = b.relay(nil)
		case 3, 4, 5:
			// What a crash of the relay's host looks like to the shard, and a
			// crash of the shard to the relay.
			_, err := b.db.Pool().Exec(context.Background(),
				`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tiffin-relay' and datname = current_database()`)
			require.NoError(b.t, err)
		case 6:
			running = append(running, b.relay(nil))
		default:
			b.nats.Stop()
			b.nats.Start()
		}
	}
}

func (b *bench) requireAllInOrder(want map[string]bool) {
	b.t.Helper()
	seen, versions, repeats := map[string]bool{}, map[string]int{}, 0
	for _, event := range b.stored() {
		require.True(b.t, want[event.ID], "an event nobody committed")
		if seen[event.ID] {
			repeats++
			continue
		}
		seen[event.ID] = true
		var s step
		require.NoError(b.t, json.Unmarshal(event.Payload, &s))
		require.Equal(b.t, versions[s.Key]+1, s.Version, "first occurrences of %s", s.Key)
		versions[s.Key] = s.Version
	}
	require.Len(b.t, seen, len(want))
	b.t.Logf("%d events, %d repeats", len(seen), repeats)
	require.Zero(b.t, repeats, "the stream drops what it has, by id")
}
