package cache

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Many askers at once share few round trips, and each gets the generation of the key they asked for.
func TestChecksAreShared(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	c, k := numbers(t, rdb)
	for _, name := range []string{"x", "y"} {
		require.NoError(t, rdb.HSet(t.Context(), k.Key(name), fieldGeneration, "g of "+name).Err())
	}
	var group sync.WaitGroup
	for i := range 300 {
		group.Go(func() {
			name := []string{"x", "y", "none"}[i%3]
			got, err := c.checks.generation(context.Background(), k.Key(name))
			require.NoError(t, err)
			require.Equal(t, map[string]string{"x": "g of x", "y": "g of y", "none": ""}[name], got)
		})
	}
	group.Wait()
	stats := c.rdb.PoolStats()
	require.Less(t, stats.Hits+stats.Misses, uint32(300))
	ctx, leave := context.WithCancel(t.Context())
	leave()
	_, err := c.checks.generation(ctx, k.Key("x"))
	require.True(t, err == nil || ctx.Err() != nil)
}
