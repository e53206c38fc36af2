package fleet

import (
	"context"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCollectionsAreSeldomUnderLoad(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, c := range map[string]struct {
		rate float64
		live uint64
		want int
	}{
		"at rest":                           {mib, 20 * mib, 100},
		"before the first collection":       {mib, 0, 100},
		"as fast as it lives":               {10 * mib, 20 * mib, 100},
		"two seconds' worth":                {50 * mib, 20 * mib, 500},
		"no more than can be spared":        {500 * mib, 32 * mib, 400},
		"what lives is more than spare":     {500 * mib, 256 * mib, 100},
		"a process with next to no memory":  {40 * mib, mib, 2000},
		"a great deal of memory that rests": {0, 1 << 40, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, target(c.rate, c.live))
		})
	}
}

// TestGarbageIsBounded by what lives or can be spared, whichever is more, and is
// never less than Go's own.
func TestGarbageIsBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate, live := rapid.Float64Range(0, 1e11).Draw(t, "rate"), rapid.Uint64Range(4<<20, 1<<40).Draw(t, "live")
		percent := target(rate, live)
		require.GreaterOrEqual(t, percent, goTarget)
		require.LessOrEqual(t, float64(percent)/100*float64(live), max(float64(live), spareMemory))
	})
}

// TestThePaceFollowsTheLoad of this very process.
func TestThePaceFollowsTheLoad(t *testing.T) { // not parallel: others would allocate too
	p := pace{samples: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}, percent: goTarget}
	p.look(0)
	keep := make([][]byte, 0, 64)
	for range 64 {
		keep = append(keep, make([]byte, 1<<20))
	}
	runtime.GC()                                    // all of it is counted as living
	busy, changed := p.look(100 * time.Millisecond) // as if 64 MiB were allocated in that time
	require.Len(t, keep, 64)
	require.True(t, changed)
	require.Greater(t, busy, goTarget)
	again, changed := p.look(time.Second)
	require.False(t, changed, "a second later load is only paused")
	require.Equal(t, busy, again)
	rest, changed := p.look(time.Hour)
	require.True(t, changed)
	require.Equal(t, goTarget, rest)
}

func TestWhoSetsGOGCIsObeyed(t *testing.T) {
	t.Setenv("GOGC", "50")
	PaceCollector(context.Background()) // returns at once
}
