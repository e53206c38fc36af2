package eventplane

import (
	"fmt"

	"tiffin/chaos/consumer"
)

// Event is one committed event: a row of the outbox.
type Event struct {
	ID   string
	Key  string // the order's id
	Body string
}

// Verdict says what the queue holds in comparison with what was committed.
type Verdict struct {
	Committed  int      // events
	Copies     int      // messages with an id that came before: allowed, after faults
	Missing    []string // ids of events that are not in the queue
	Changed    []string // ids of messages whose body is not their event's
	Overtaken  []string // ids of events whose first copy stands behind a later event of their order
	Unheard    []string // ids of messages that nobody committed
	Unrecorded []string // ids of events that a transaction answered for and no row knows
}

// OK tells whether the contract was kept.
func (v Verdict) OK() bool {
	return len(v.Missing)+len(v.Changed)+len(v.Overtaken)+len(v.Unheard)+len(v.Unrecorded) == 0
}

// String is one line for people, with at most one example of each fault.
func (v Verdict) String() string {
	text := fmt.Sprintf("%d events committed, %d copies", v.Committed, v.Copies)
	for _, fault := range []struct {
		what string
		ids  []string
	}{
		{"missing", v.Missing}, {"changed", v.Changed}, {"overtaken", v.Overtaken}, {"unheard of", v.Unheard}, {"unrecorded", v.Unrecorded},
	} {
		text += fmt.Sprintf(", %d %s", len(fault.ids), fault.what)
		if len(fault.ids) > 0 {
			text += " (" + fault.ids[0] + ")"
		}
	}
	return text
}

// Check compares the queue with what was committed. committed holds each
// shard's events in the order of their rows, which for one order is the order of
// its transactions; answered holds the ids for which a commit was answered.
func Check(committed []Event, answered []string, queue []consumer.Message) Verdict {
	v := Verdict{Committed: len(committed)}
	rows, first := make(map[string]Event, len(committed)), make(map[string]int, len(committed))
	for _, e := range committed {
		rows[e.ID] = e
	}
	for _, id := range answered {
		if _, known := rows[id]; !known {
			v.Unrecorded = append(v.Unrecorded, id)
		}
	}
	for place, m := range queue {
		e, known := rows[m.ID]
		switch _, again := first[m.ID]; {
		case !known:
			v.Unheard = append(v.Unheard, m.ID)
			continue
		case again:
			v.Copies++
		default:
			first[m.ID] = place
		}
		if m.Body != e.Body {
			v.Changed = append(v.Changed, m.ID)
		}
	}
	v.Missing, v.Overtaken = compareOrder(committed, first)
	return v
}

// compareOrder looks for events that are missing or came too late: an event is
// overtaken when a later one of its order stands before it.
func compareOrder(committed []Event, first map[string]int) (missing, overtaken []string) {
	earliest := map[string]int{} // by order: the first place of those events that are later
	for i := len(committed) - 1; i >= 0; i-- {
		e := committed[i]
		place, there := first[e.ID]
		if !there {
			missing = append(missing, e.ID)
			continue
		}
		later, some := earliest[e.Key]
		if some && later < place {
			overtaken = append(overtaken, e.ID)
		}
		if !some || place < later {
			earliest[e.Key] = place
		}
	}
	return missing, overtaken
}
