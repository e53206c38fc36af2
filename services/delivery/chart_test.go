package delivery_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/delivery"
)

// ended are the states that are no arrow's beginning: how an offer ended.
var ended = []delivery.AssignmentStatus{
	delivery.Delivered, delivery.Failed, delivery.Declined, delivery.Expired, delivery.Withdrawn,
}

// TestEveryOfferIsInTheChart: docs/state-machine.md draws the queue and the states that bind a rider, lets an order leave
// each of them, and names every way for an offer to end where it ends so.
func TestEveryOfferIsInTheChart(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/state-machine.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## The offer\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	from, leaves := map[string]bool{}, map[string]bool{}
	ways := map[string]string{} // the words on all arrows that leave a state
	for _, arrow := range regexp.MustCompile(`(?m)^ +(\S+) --> (\w+|\[\*\])(?:: (.+))?$`).FindAllStringSubmatch(section, -1) {
		from[arrow[1]], ways[arrow[1]] = true, ways[arrow[1]]+" "+arrow[3]
		leaves[arrow[1]] = leaves[arrow[1]] || arrow[2] == "[*]"
	}
	want := []string{"[*]", "waiting"}
	for _, s := range []delivery.AssignmentStatus{delivery.Offered, delivery.Accepted, delivery.PickedUp} {
		require.True(t, s.Live(), "%s", s)
		want = append(want, string(s))
	}
	slices.Sort(want)
	require.Equal(t, want, slices.Sorted(maps.Keys(from)))
	for _, s := range want[1:] {
		require.True(t, leaves[s], "an order may end while its offer is %s", s)
	}
	for _, s := range ended {
		require.False(t, s.Live(), "%s", s)
		require.Contains(t, section, "`"+string(s)+"`")
		at := delivery.Offered
		if s == delivery.Delivered || s == delivery.Failed {
			at = delivery.PickedUp
		}
		require.Contains(t, ways[string(at)], string(s), "ends %s from %s", s, at)
	}
}
