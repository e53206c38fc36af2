package flight

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon and often are the patience and the pace of waiting for conditions.
const (
	soon  = 20 * time.Second
	often = 2 * time.Millisecond
)

// Callers who come while a load runs do not get its result, which may be older than they are, but share the next one.
func TestFlightSharesOnlyYoungerLoads(t *testing.T) {
	t.Parallel()
	var f Group[int]
	var loads atomic.Int64
	running, finish := make(chan struct{}), make(chan struct{})
	slow := func(context.Context) (int, error) {
		n := loads.Add(1)
		if n == 1 {
			close(running)
			<-finish
		}
		return int(n), nil
	}
	var group sync.WaitGroup
	group.Go(func() {
		n, err := f.Do(context.Background(), "x", slow)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
	<-running
	const late = 50
	joined := make(chan struct{}, late)
	for range late {
		group.Go(func() {
			l := f.join(context.Background(), "x", slow)
			joined <- struct{}{}
			<-l.done
			require.Equal(t, 2, l.value)
		})
	}
	for range late {
		<-joined
	}
	close(finish)
	group.Wait()
	require.EqualValues(t, 2, loads.Load())
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.lanes) == 0
	}, soon, often)
}

// A caller who leaves does not take the load away from those who stay.
func TestFlightOutlivesItsFirstCaller(t *testing.T) {
	t.Parallel()
	var f Group[int]
	running, finish := make(chan struct{}), make(chan struct{})
	ctx, leave := context.WithCancel(context.Background())
	l := f.join(ctx, "x", func(ctx context.Context) (int, error) {
		close(running)
		<-finish
		return 1, ctx.Err()
	})
	<-running
	leave()
	_, err := f.Do(ctx, "x", func(context.Context) (int, error) { return 2, nil })
	require.ErrorIs(t, err, context.Canceled)
	close(finish)
	<-l.done
	require.NoError(t, l.err)
	require.Equal(t, 1, l.value)
}

// A load that hangs keeps those who come later waiting for its patience and no longer, and the loads after it share as
// before.
func TestAFlightThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := Group[int]{Patience: 20 * time.Millisecond}
		hangs := make(chan struct{})
		var loads atomic.Int64
		source := func(context.Context) (int, error) {
			n := loads.Add(1)
			if n == 1 {
				<-hangs
			}
			return int(n), nil
		}
		var all sync.WaitGroup
		begin := time.Now()
		ask := func(want int, after time.Duration) {
			all.Go(func() {
				n, err := f.Do(t.Context(), "x", source)
				require.NoError(t, err)
				require.Equal(t, want, n)
				require.Equal(t, after, time.Since(begin))
			})
		}
		ask(1, time.Minute)
		synctest.Wait()
		for range 10 {
			ask(2, f.Patience)
		}
		<-time.After(time.Second)
		n, err := f.Do(t.Context(), "x", source)
		require.NoError(t, err)
		require.Equal(t, 3, n, "whoever comes while it still hangs")
		<-time.After(time.Minute - time.Since(begin))
		close(hangs)
		all.Wait()
		require.EqualValues(t, 3, loads.Load())
		synctest.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		require.Empty(t, f.lanes)
	})
}
