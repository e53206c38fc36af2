package outbox

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestWaitingForCompanyDiesOut: whatever a relay finds first, passes become as frequent as they can when fewer than a
// thousand events a second come, and rare, but never rarer than maxPace, when more do.
func TestWaitingForCompanyDiesOut(t *testing.T) {
	t.Parallel()
	after := func(n, perSecond int) time.Duration {
		for range 100 {
			n = min(int(pace(n).Seconds()*float64(perSecond)), batchSize-1)
		}
		return pace(n)
	}
	rapid.Check(t, func(t *rapid.T) {
		found := rapid.IntRange(0, batchSize).Draw(t, "found")
		require.Zero(t, after(found, rapid.IntRange(0, 900).Draw(t, "few")))
		require.LessOrEqual(t, pace(found), maxPace)
		if found >= busy && found < batchSize {
			require.Equal(t, maxPace, after(found, rapid.IntRange(1100, 5000).Draw(t, "many")))
		}
	})
	require.Zero(t, pace(batchSize), "a backlog waits for nobody")
}
