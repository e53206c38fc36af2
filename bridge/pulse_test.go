package bridge

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A broker that hangs is asked once, however many look, and believed as soon as it answers.
func TestAPulseIsFeltOnceAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var beats atomic.Int32
		answer := make(chan error)
		p := pulse{beat: func() error { beats.Add(1); return <-answer }}
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, p.feel(ctx), context.DeadlineExceeded)
			cancel()
		}
		require.EqualValues(t, 1, beats.Load())
		answer <- nil // to nobody who still waits
		synctest.Wait()
		gone := errors.New("connection closed")
		go func() { answer <- gone }()
		require.ErrorIs(t, p.feel(t.Context()), gone, "an old answer says nothing about now")
		require.EqualValues(t, 2, beats.Load())
	})
}
