package bridge

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAckerTakesTheNewestFloor(t *testing.T) {
	t.Parallel()
	a := newAcker(nil, nil)
	require.Empty(t, a.take())
	a.delivered(3, "three")
	a.delivered(7, "seven")
	a.delivered(9, "nine")
	require.Empty(t, a.take(), "nothing is confirmed")
	a.raise(7)
	a.raise(3) // the later call carries the lower floor: two goroutines confirm
	require.Equal(t, "seven", a.take(), "it stands for all before it")
	require.Empty(t, a.take())
	a.raise(9)
	require.Equal(t, "nine", a.take())
	require.Empty(t, a.pending)
}
