package micro

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestPoolRunsEveryJobOnce adds from one goroutine, as a subscription does, jobs of which some block until all that can
// run beside them are running: the pool must never leave a job waiting while a worker could take it.
func TestPoolRunsEveryJobOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		workers := rapid.IntRange(1, 8).Draw(t, "workers")
		queue := rapid.IntRange(0, 50).Draw(t, "queue")
		jobs := rapid.IntRange(0, 200).Draw(t, "jobs")
		var ran, running, most atomic.Int32
		p := newPool(workers, queue, func(int) {
			if now := running.Add(1); now > most.Load() {
				most.Store(now)
			}
			ran.Add(1)
			running.Add(-1)
		})
		taken := 0
		for i := range jobs {
			if p.add(i) {
				taken++
			}
		}
		p.close()
		require.Equal(t, taken, int(ran.Load()))
		require.LessOrEqual(t, int(most.Load()), workers)
		inside, waiting := p.load()
		require.Zero(t, inside)
		require.Zero(t, waiting)
	})
}

// TestPoolUsesAllItsWorkers: jobs that block get all the workers there are, also when they come one after the other.
func TestPoolUsesAllItsWorkers(t *testing.T) {
	t.Parallel()
	const workers = 8
	for range 200 {
		var meeting sync.WaitGroup
		meeting.Add(workers)
		p := newPool(workers, 0, func(int) {
			meeting.Done()
			meeting.Wait()
		})
		for i := range workers {
			require.True(t, p.add(i))
		}
		meeting.Wait()
		p.close()
	}
}

func TestPoolRefusesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	p := newPool(2, 3, func(int) { <-release })
	for i := range 5 {
		require.True(t, p.add(i))
	}
	require.False(t, p.add(5))
	close(release)
	p.close()
}
