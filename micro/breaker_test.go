package micro

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newTestBreaker is one whose time the test moves.
func newTestBreaker() (b *breaker, pass func(time.Duration)) {
	now := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	return &breaker{clock: func() time.Time { return now }}, func(d time.Duration) { now = now.Add(d) }
}

// silence has n calls pass and get no answer.
func silence(t *testing.T, b *breaker, pass func(time.Duration), n int) {
	t.Helper()
	for range n {
		began, ok := b.allow()
		require.True(t, ok)
		pass(time.Millisecond)
		b.done(began, false)
	}
}

func TestABreakerOpensAfterTenInARow(t *testing.T) {
	t.Parallel()
	b, pass := newTestBreaker()
	silence(t, b, pass, breakAfter-1)
	began, ok := b.allow()
	require.True(t, ok)
	pass(time.Millisecond)
	b.done(began, true)
	pass(time.Millisecond)
	silence(t, b, pass, breakAfter)
	_, ok = b.allow()
	require.False(t, ok)
}

// The service is back, and the first trials hang on an instance that is paused: the next one closes the breaker, and the
// late failures of the first do not open it again.
func TestATrialThatHangsDoesNotKeepOthersOut(t *testing.T) {
	t.Parallel()
	b, pass := newTestBreaker()
	silence(t, b, pass, breakAfter)
	var hanging []time.Time
	for range 2 * breakAfter {
		pass(probeEvery)
		began, ok := b.allow()
		require.True(t, ok, "ten trials a second, whatever became of those before")
		hanging = append(hanging, began)
		_, ok = b.allow()
		require.False(t, ok, "and no more")
	}
	pass(probeEvery)
	began, ok := b.allow()
	require.True(t, ok)
	pass(time.Millisecond)
	b.done(began, true)
	for _, began := range hanging {
		b.done(began, false)
	}
	for range 100 {
		_, ok := b.allow()
		require.True(t, ok)
	}
}
