package server

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSignsOfLifeAreWrittenNowAndThen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p := newPulses(time.Minute, func() time.Time { return now })
	require.True(t, p.due("a"))
	require.False(t, p.due("a"))
	require.True(t, p.due("b"), "each rider for themselves")
	now = now.Add(59 * time.Second)
	require.False(t, p.due("a"))
	now = now.Add(time.Second)
	require.True(t, p.due("a"))
	p.forget("a")
	require.True(t, p.due("a"), "a write that failed is tried again")
	now = now.Add(-time.Hour)
	require.True(t, p.due("a"), "a clock that steps back makes nobody silent")
}

func TestTheMemoryOfSignsOfLifeIsBounded(t *testing.T) {
	t.Parallel()
	p := newPulses(time.Minute, time.Now)
	for i := range maxPulses + 10 {
		p.due(string(rune(i)) + "-" + time.Duration(i).String())
	}
	require.LessOrEqual(t, len(p.written), maxPulses)
}
