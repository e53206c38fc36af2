package orderevents_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/bench/orderevents"
)

func TestEventsAreDistinctInOrderAndOfTheSizeSaid(t *testing.T) {
	t.Parallel()
	events := orderevents.Make(1001)
	require.Len(t, events, 1001)
	require.Equal(t, events, orderevents.Make(1001))
	ids, created := map[string]bool{}, map[string]bool{}
	for _, e := range events {
		require.False(t, ids[e.ID])
		ids[e.ID] = true
		require.InDelta(t, 400, len(e.Payload), 40)
		if e.Type == "order.created" {
			created[e.Key] = true
		} else {
			require.True(t, created[e.Key], "assigned after created")
		}
	}
}
