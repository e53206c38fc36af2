package wholefleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/chaos/fault"
)

func draw(seed uint64, n int) (out []fault.Fault) {
	for d := newDeck(seed); len(out) < n; {
		out = append(out, d.Next())
	}
	return out
}

func TestASeedIsACampaign(t *testing.T) {
	t.Parallel()
	first := draw(7, 100)
	require.Equal(t, first, draw(7, 100))
	require.NotEqual(t, first, draw(8, 100))
}

// opening is how many faults the opening has.
const opening = nodes + instances*7

// TestEveryInstanceIsKilledFirst, and never two of a kind close to each other.
func TestEveryInstanceIsKilledFirst(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		at := map[string]int{}
		for i, f := range draw(seed, opening) {
			require.Equal(t, fault.Kill, f.Kind)
			at[f.Target] = i
		}
		require.Len(t, at, opening)
		for _, c := range components()[:len(roles)+1] {
			for _, one := range c.targets {
				for _, other := range c.targets {
					require.True(t, one == other || max(at[one]-at[other], at[other]-at[one]) > 6, "%s and %s", one, other)
				}
			}
		}
	}
}

// TestEveryComponentHasItsTurn: whatever the seed is, each is met once before
// one is met twice, and with every kind of fault before one kind comes again.
func TestEveryComponentHasItsTurn(t *testing.T) {
	t.Parallel()
	all := components()
	for seed := range uint64(20) {
		faults := draw(seed, opening+5*len(all))[opening:]
		for round := range 5 {
			met := map[string]bool{}
			for _, f := range faults[round*len(all) : (round+1)*len(all)] {
				met[componentOf(f.Target)] = true
				require.Less(t, f.Hold+f.Rest, 21*time.Second, f)
			}
			require.Len(t, met, len(all))
		}
		kinds := map[string]map[fault.Kind]bool{}
		for _, f := range faults {
			name := componentOf(f.Target)
			if kinds[name] == nil {
				kinds[name] = map[fault.Kind]bool{}
			}
			kinds[name][f.Kind] = true
		}
		for _, c := range all {
			require.Len(t, kinds[c.name], len(c.kinds), c.name)
		}
	}
}
