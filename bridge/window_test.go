package bridge

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestWindowKeepsItsPromises plays a session with random keys and random order of confirms, and checks after each step
// what the bridge builds on: at most one entry of a key is out, in order, and the floor never passes an unconfirmed one.
func TestWindowKeepsItsPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWindow[int]()
		var out []*entry[int] // published, not confirmed
		added, floor := 0, 0
		lastOut := map[string]int{}
		confirmed := map[int]bool{}
		publish := func(e *entry[int]) {
			for _, other := range out {
				require.NotEqual(t, other.key, e.key, "two entries of a key are out")
			}
			require.Greater(t, e.event, lastOut[e.key], "the order of a key is kept")
			lastOut[e.key] = e.event
			out = append(out, e)
		}
		confirm := func() {
			i := rapid.IntRange(0, len(out)-1).Draw(t, "confirm")
			e := out[i]
			out = append(out[:i], out[i+1:]...)
			confirmed[e.event] = true
			next, settled := w.confirm(e)
			for _, s := range settled {
				floor++
				require.Equal(t, floor, s.event, "the floor rises one by one")
				require.True(t, confirmed[s.event], "and never past what is unconfirmed")
			}
			if next != nil {
				publish(next)
			}
		}
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			if len(out) > 0 && rapid.Bool().Draw(t, "which") {
				confirm()
				continue
			}
			added++
			e := &entry[int]{key: fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "key")), event: added}
			if w.add(e) {
				publish(e)
			}
		}
		w.close()
		for len(out) > 0 {
			select {
			case <-w.empty:
				t.Fatal("empty too early")
			default:
			}
			confirm()
		}
		require.Equal(t, added, floor, "everything is settled in the end")
		<-w.empty
		require.Empty(t, w.tails, "nothing is kept of keys that are done")
	})
}
