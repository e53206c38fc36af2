package wholefleet

import (
	"fmt"
	"slices"
	"strings"

	"tiffin/chaos/eventplane"
	"tiffin/services/order"
)

// Verdict names what is wrong, by promise. All empty is well.
type Verdict struct {
	Orders, Followings int // that were looked at

	Lost      []string // accepted orders that no shard has, or has otherwise
	Doubled   []string // wishes that became two orders, and orders that nobody wished for
	Illegal   []string // orders whose log is not a legal story
	TwoRiders []string // orders that two riders had
	TwoOrders []string // riders who had two orders
	Unwritten []string // changes of orders without their event
	Stream    eventplane.Verdict
	Queue     eventplane.Verdict
	Gaps      []string // subscriptions that missed an update, or got one twice
}

// OK tells whether every promise was kept.
func (v Verdict) OK() bool {
	return v.Stream.OK() && v.Queue.OK() && !slices.ContainsFunc(v.faults(), func(f found) bool { return len(f.what) > 0 })
}

// found is one kind of fault.
type found struct {
	name string
	what []string
}

func (v Verdict) faults() []found {
	return []found{
		{"lost", v.Lost}, {"doubled", v.Doubled}, {"illegal stories", v.Illegal}, {"orders with two riders", v.TwoRiders},
		{"riders with two orders", v.TwoOrders}, {"changes without event", v.Unwritten}, {"gaps on sockets", v.Gaps},
	}
}

// String is for people, with at most one example of each fault.
func (v Verdict) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d orders, %d subscriptions", v.Orders, v.Followings)
	for _, f := range v.faults() {
		fmt.Fprintf(&s, ", %d %s", len(f.what), f.name)
		if len(f.what) > 0 {
			fmt.Fprintf(&s, " (%s)", f.what[0])
		}
	}
	fmt.Fprintf(&s, "; JetStream: %s; RabbitMQ: %s", v.Stream, v.Queue)
	return s.String()
}

// Check compares the records.
func Check(e Evidence) Verdict {
	v := Verdict{Orders: len(e.Orders), Followings: len(e.Clients.Updates)}
	v.Lost, v.Doubled = checkOrders(e.Clients.Placed, e.Orders)
	v.Illegal = checkStories(e.Orders, e.Log)
	v.TwoRiders, v.TwoOrders = checkRiders(e)
	v.Unwritten = checkWritten(e.Log, e.Events)
	v.Gaps = checkSockets(e.Clients.Updates, e.Orders)
	var all, public []eventplane.Event
	for _, event := range e.Events {
		row := eventplane.Event{ID: event.ID, Key: event.Order, Body: event.Body}
		all = append(all, row)
		if event.Type == order.EventCreated || event.Type == order.EventAssigned {
			public = append(public, row)
		}
	}
	v.Stream, v.Queue = eventplane.Check(all, nil, e.Stream), eventplane.Check(public, nil, e.Queue)
	return v
}

// checkOrders compares what was answered with 201 with what is there.
func checkOrders(placed []Placed, rows []Order) (lost, doubled []string) {
	byID, byKey := map[string]Order{}, map[string][]string{}
	for _, o := range rows {
		byID[o.ID] = o
		byKey[o.Customer+" "+o.Key] = append(byKey[o.Customer+" "+o.Key], o.ID)
	}
	wished := map[string]bool{}
	for _, p := range placed {
		wished[p.Customer+" "+p.Key] = true
		if len(p.IDs) > 1 || len(byKey[p.Customer+" "+p.Key]) > 1 {
			doubled = append(doubled, fmt.Sprintf("key %s became %v, rows %v", p.Key, p.IDs, byKey[p.Customer+" "+p.Key]))
		}
		for _, id := range p.IDs {
			o, there := byID[id]
			if !there || o.Customer != p.Customer || o.Total != p.Total {
				lost = append(lost, fmt.Sprintf("%s, answered as %s for %s: %+v", id, p.Total, p.Customer, o))
			}
		}
	}
	for _, o := range rows {
		if !wished[o.Customer+" "+o.Key] {
			doubled = append(doubled, fmt.Sprintf("nobody wished for %s", o.ID))
		}
	}
	return lost, doubled
}

// checkStories reads every order's log: from its beginning, without a gap, by
// the state chart, to the state that the row has.
func checkStories(rows []Order, log []Change) (illegal []string) {
	logs := byOrder(log, func(c Change) string { return c.Order })
	for _, o := range rows {
		if reason := readStory(o, logs[o.ID]); reason != "" {
			illegal = append(illegal, o.ID+": "+reason)
		}
	}
	return illegal
}

// readStory gives what is wrong with one order's log, "" when nothing is.
func readStory(o Order, log []Change) string {
	var status order.Status
	for i, c := range log {
		switch {
		case c.Seq != int64(i+1):
			return fmt.Sprintf("change %d has seq %d", i+1, c.Seq)
		case c.From != status:
			return fmt.Sprintf("change %d begins at %q, and the order was %q", c.Seq, c.From, status)
		case i == 0 && c.To != order.Pending:
			return fmt.Sprintf("begins as %s", c.To)
		case i > 0 && status.Terminal():
			return fmt.Sprintf("change %d came after %s", c.Seq, status)
		case i > 0 && c.Kind == "transition" && !slices.Contains(order.Allowed(c.From, c.Role), c.To):
			return fmt.Sprintf("%s made %s of %s", c.Role, c.To, c.From)
		case c.Kind == "assignment" && c.To != c.From:
			return fmt.Sprintf("assignment %d changed %s to %s", c.Seq, c.From, c.To)
		}
		status = c.To
	}
	if status != o.Status || int64(len(log)) != o.Seq {
		return fmt.Sprintf("is %s at seq %d, and its log ends as %q at %d", o.Status, o.Seq, status, len(log))
	}
	return ""
}

// checkWritten looks for the event of every change.
func checkWritten(log []Change, events []Event) (unwritten []string) {
	type key struct {
		order, kind string
		seq         int64
	}
	there := map[key]bool{}
	for _, e := range events {
		there[key{e.Order, e.Type, e.Seq}] = true
	}
	for _, c := range log {
		kind := order.EventStatus
		switch {
		case c.Seq == 1:
			kind = order.EventCreated
		case c.Kind == "assignment" && c.Partner != "":
			kind = order.EventAssigned
		}
		if !there[key{c.Order, kind, c.Seq}] {
			unwritten = append(unwritten, fmt.Sprintf("%s of %s at %d", kind, c.Order, c.Seq))
		}
	}
	return unwritten
}

// checkSockets looks for gaps: after since comes since+1, and so on, each once.
func checkSockets(followings []Following, rows []Order) (gaps []string) {
	last := map[string]int64{}
	for _, o := range rows {
		last[o.ID] = o.Seq
	}
	for _, f := range followings {
		next := f.Since + 1
		for _, seq := range f.Seqs {
			if seq != next {
				gaps = append(gaps, fmt.Sprintf("connection %d, order %s since %d: %v", f.Connection, f.Order, f.Since, f.Seqs))
				break
			}
			next++
		}
		if f.Whole && next != last[f.Order]+1 {
			gaps = append(gaps, fmt.Sprintf("order %s since %d: %v, and the last is %d", f.Order, f.Since, f.Seqs, last[f.Order]))
		}
	}
	return gaps
}

// byOrder groups what belongs to orders, each in the order given.
func byOrder[T any](all []T, id func(T) string) map[string][]T {
	groups := map[string][]T{}
	for _, one := range all {
		groups[id(one)] = append(groups[id(one)], one)
	}
	return groups
}
