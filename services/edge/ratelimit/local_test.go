package ratelimit_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/edge/ratelimit"
)

// clock is moved by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)} }

func one(key string) [2]string { return [2]string{key} }

func TestABurstIsOneSecondsWorth(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := ratelimit.NewLocal(c.Now)
	for i := range 5 {
		d := l.TakeLocal(5, one("a"))
		require.True(t, d.Allowed)
		require.Equal(t, 4-i, d.Remaining)
	}
	d := l.TakeLocal(5, one("a"))
	require.Equal(t, ratelimit.Decision{Limit: 5, RetryAfter: 200 * time.Millisecond, Reset: time.Second}, d)
	require.True(t, l.TakeLocal(5, one("b")).Allowed, "another key has its own")

	c.now = c.now.Add(200 * time.Millisecond)
	require.True(t, l.TakeLocal(5, one("a")).Allowed, "after RetryAfter one passes")
	require.False(t, l.TakeLocal(5, one("a")).Allowed)
}

func TestARefusalCostsNothingOnEitherKey(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := ratelimit.NewLocal(c.Now)
	require.True(t, l.TakeLocal(1, one("busy")).Allowed)
	for range 10 {
		require.False(t, l.TakeLocal(1, [2]string{"busy", "calm"}).Allowed)
	}
	require.True(t, l.TakeLocal(1, one("calm")).Allowed, "calm has paid nothing for busy's refusals")
	c.now = c.now.Add(time.Second)
	require.True(t, l.TakeLocal(1, one("busy")).Allowed, "refusals do not push the next allowed request away")
}

// However requests are timed, a key never gets more than its rate plus one
// burst in any stretch of time, and a client that keeps to the rate is never
// refused.
func TestRateHoldsForEveryTiming(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		start := c.now
		l := ratelimit.NewLocal(c.Now)
		rate := rapid.IntRange(1, 50).Draw(t, "rate")
		passed := 0
		for _, gap := range rapid.SliceOfN(rapid.IntRange(0, 300), 1, 200).Draw(t, "gaps in ms") {
			c.now = c.now.Add(time.Duration(gap) * time.Millisecond)
			d := l.TakeLocal(rate, one("k"))
			if d.Allowed {
				passed++
				require.Zero(t, d.RetryAfter)
			} else {
				require.Positive(t, d.RetryAfter)
				require.LessOrEqual(t, d.RetryAfter, time.Second/time.Duration(rate))
			}
			require.LessOrEqual(t, d.Remaining, rate)
			most := float64(rate)*c.now.Sub(start).Seconds() + float64(rate)
			require.LessOrEqual(t, float64(passed), most+1e-6)
		}
	})
}

func TestSteadyClientsAreNeverRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		l := ratelimit.NewLocal(c.Now)
		rate := rapid.IntRange(1, 50).Draw(t, "rate")
		for range 200 {
			require.True(t, l.TakeLocal(rate, one("k")).Allowed)
			c.now = c.now.Add(time.Second / time.Duration(rate))
		}
	})
}

// A flood from ever new addresses must not fill the memory.
func TestLocalStateIsBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := ratelimit.NewLocal(c.Now)
	for i := range ratelimit.MaxLocalKeys + 5000 {
		require.True(t, l.TakeLocal(1, one(strconv.Itoa(i))).Allowed)
	}
	require.LessOrEqual(t, l.Size(), ratelimit.MaxLocalKeys)

	c.now = c.now.Add(time.Minute)
	for i := range ratelimit.MaxLocalKeys / 5 {
		l.TakeLocal(1, one("new"+strconv.Itoa(i)))
	}
	require.Less(t, l.Size(), ratelimit.MaxLocalKeys/2, "keys that owe nothing go first")
}

func BenchmarkLocal(b *testing.B) {
	l := ratelimit.NewLocal(nil)
	b.ReportAllocs()
	for b.Loop() {
		l.TakeLocal(1_000_000, [2]string{"general:ip:10.0.0.1", "general:user:1"})
	}
}
