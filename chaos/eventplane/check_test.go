package eventplane_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/chaos/consumer"
	"tiffin/chaos/eventplane"
)

// history is what was committed, and a queue that holds it faithfully.
func history(t *rapid.T) ([]eventplane.Event, []string, []consumer.Message) {
	var events []eventplane.Event
	var ids []string
	var queue []consumer.Message
	for i := range rapid.IntRange(4, 40).Draw(t, "events") {
		e := eventplane.Event{
			ID: fmt.Sprint("e", i), Key: fmt.Sprint("o", rapid.IntRange(0, 5).Draw(t, "order")), Body: fmt.Sprint("body ", i),
		}
		events, ids = append(events, e), append(ids, e.ID)
		queue = append(queue, consumer.Message{ID: e.ID, Body: e.Body})
		// A fault may repeat any stretch of what was sent before.
		if rapid.IntRange(0, 9).Draw(t, "fault") == 0 {
			from := rapid.IntRange(0, len(queue)-1).Draw(t, "from")
			queue = append(queue, queue[from:]...)
		}
	}
	return events, ids, queue
}

func TestWhatTheContractAllowsIsAllowed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events, ids, queue := history(t)
		v := eventplane.Check(events, ids, queue)
		require.True(t, v.OK(), v)
		require.Equal(t, len(queue)-len(events), v.Copies)
		require.Equal(t, len(events), v.Committed)
	})
}

func TestALossIsFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events, ids, queue := history(t)
		lost := rapid.SampledFrom(ids).Draw(t, "lost")
		var left []consumer.Message
		for _, m := range queue {
			if m.ID != lost {
				left = append(left, m)
			}
		}
		v := eventplane.Check(events, ids, left)
		require.Equal(t, []string{lost}, v.Missing)
		require.False(t, v.OK())
		require.Contains(t, v.String(), "1 missing ("+lost+")")
	})
}

func TestAChangedCopyIsFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events, ids, queue := history(t)
		changed := rapid.SampledFrom(queue).Draw(t, "changed")
		queue = append(queue, consumer.Message{ID: changed.ID, Body: changed.Body + " "})
		v := eventplane.Check(events, ids, queue)
		require.Equal(t, []string{changed.ID}, v.Changed)
		require.False(t, v.OK())
	})
}

func TestASwappedOrderIsFound(t *testing.T) {
	t.Parallel()
	events := []eventplane.Event{{"created", "o1", "1"}, {"other", "o2", "2"}, {"assigned", "o1", "3"}, {"again", "o1", "4"}}
	message := func(i int) consumer.Message { return consumer.Message{ID: events[i].ID, Body: events[i].Body} }
	for name, c := range map[string]struct {
		queue []int
		want  []string
	}{
		"in order":                        {[]int{0, 1, 2, 3}, nil},
		"orders among each other":         {[]int{1, 0, 2, 3}, nil},
		"neighbours swapped":              {[]int{1, 2, 0, 3}, []string{"created"}},
		"the last one first":              {[]int{3, 0, 1, 2}, []string{"assigned", "created"}},
		"a copy later makes it no better": {[]int{2, 0, 1, 2, 3}, []string{"created"}},
		"a copy out of order is a copy":   {[]int{0, 1, 2, 0, 3}, nil},
	} {
		var queue []consumer.Message
		for _, i := range c.queue {
			queue = append(queue, message(i))
		}
		v := eventplane.Check(events, nil, queue)
		require.Equal(t, c.want, v.Overtaken, name)
		require.Equal(t, len(c.want) == 0, v.OK(), name)
	}
}

func TestWhatNobodyCommittedIsFound(t *testing.T) {
	t.Parallel()
	events := []eventplane.Event{{"a", "o", "1"}}
	v := eventplane.Check(events, []string{"a", "b"}, []consumer.Message{{ID: "a", Body: "1"}, {ID: "ghost", Body: "1"}})
	require.Equal(t, []string{"ghost"}, v.Unheard)
	require.Equal(t, []string{"b"}, v.Unrecorded, "a transaction was answered, and its row is gone")
	require.False(t, v.OK())
}
