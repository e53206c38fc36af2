package wholefleet_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/chaos/consumer"
	"tiffin/chaos/wholefleet"
	"tiffin/services/auth"
	"tiffin/services/order"
)

var start = time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)

// world is evidence in the making, of a fleet that keeps its word.
type world struct {
	wholefleet.Evidence
	now time.Time
}

// tick lets time pass and gives it.
func (w *world) tick() time.Time {
	w.now = w.now.Add(time.Second)
	return w.now
}

// change writes a change of an order, its event, and all that follows from it.
func (w *world) change(o *wholefleet.Order, to order.Status, partner, role string) {
	from, kind, event := o.Status, "transition", order.EventStatus
	o.Seq++
	switch {
	case o.Seq == 1:
		event = order.EventCreated
	case to == from:
		kind, event = "assignment", order.EventAssigned
	}
	o.Status = to
	w.Log = append(w.Log, wholefleet.Change{Order: o.ID, Seq: o.Seq, Kind: kind, From: from, To: to, Partner: partner, Role: role, At: w.tick()})
	e := wholefleet.Event{ID: fmt.Sprintf("%s/%d", o.ID, o.Seq), Order: o.ID, Type: event, Seq: o.Seq, Body: fmt.Sprint(to, partner)}
	w.Events = append(w.Events, e)
	m := consumer.Message{ID: e.ID, Body: e.Body}
	w.Stream = append(w.Stream, m)
	if event != order.EventStatus {
		w.Queue = append(w.Queue, m)
	}
}

// play is one order from the wish to the door, or to where it was left.
func (w *world) play(t *rapid.T, n int) {
	o := &wholefleet.Order{ID: fmt.Sprint("o", n), Key: fmt.Sprint("k", n), Customer: fmt.Sprint("c", n%2), Total: "12.50"}
	rider := fmt.Sprint("r", n%3)
	placed := wholefleet.Placed{Key: o.Key, Customer: o.Customer, Total: o.Total}
	if answered := rapid.IntRange(0, 9).Draw(t, "answered") > 0; answered {
		placed.IDs = []string{o.ID}
	}
	w.change(o, order.Pending, "", auth.RoleCustomer)
	w.change(o, order.Pending, rider, order.RoleSystem)
	began := w.tick()
	offer := wholefleet.Offer{Order: o.ID, Partner: rider, Seq: 2, Accepted: true}
	w.Clients.Acceptances = append(w.Clients.Acceptances, wholefleet.Acceptance{Order: o.ID, Rider: rider, Began: began, Answered: w.tick()})
	for _, step := range []struct {
		to   order.Status
		role string
	}{{order.Confirmed, auth.RoleOwner}, {order.Preparing, auth.RoleOwner}, {order.Ready, auth.RoleOwner}, {order.PickedUp, auth.RoleRider}, {order.Delivered, auth.RoleRider}} {
		w.change(o, step.to, rider, step.role)
	}
	w.follow(t, n, *o)
	w.Orders, w.Offers = append(w.Orders, *o), append(w.Offers, offer)
	w.Clients.Placed = append(w.Clients.Placed, placed)
}

// follow is the customer's socket, which may have come back in between.
func (w *world) follow(t *rapid.T, n int, o wholefleet.Order) {
	seqs := make([]int64, o.Seq)
	for i := range seqs {
		seqs[i] = int64(i + 1)
	}
	cut := rapid.IntRange(0, len(seqs)).Draw(t, "cut")
	w.Clients.Updates = append(w.Clients.Updates,
		wholefleet.Following{Connection: uint64(2 * n), Order: o.ID, Seqs: slices.Clone(seqs[:cut])},
		wholefleet.Following{Connection: uint64(2*n + 1), Order: o.ID, Since: int64(cut), Seqs: slices.Clone(seqs[cut:]), Whole: true})
}

// evening is a few orders, all well.
func evening(t *rapid.T) *world {
	w := &world{now: start}
	for n := range rapid.IntRange(3, 12).Draw(t, "orders") {
		w.play(t, n)
	}
	// A fault may have the end of the queue sent twice.
	w.Queue = append(w.Queue, w.Queue[rapid.IntRange(0, len(w.Queue)).Draw(t, "again"):]...)
	return w
}

func TestAGoodEveningIsFoundGood(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := wholefleet.Check(evening(t).Evidence)
		require.True(t, v.OK(), v)
	})
}

// fault is something that is put in, and where it must be found.
type planted struct {
	put   func(w *world, i int) // i is an order's number
	found func(v wholefleet.Verdict) []string
}

func without[T any](all []T, drop func(T) bool) []T { return slices.DeleteFunc(all, drop) }

// faults are what a fleet could do wrong, one at a time.
func faults() map[string]planted {
	lost := func(v wholefleet.Verdict) []string { return v.Lost }
	doubled := func(v wholefleet.Verdict) []string { return v.Doubled }
	illegal := func(v wholefleet.Verdict) []string { return v.Illegal }
	twoRiders := func(v wholefleet.Verdict) []string { return v.TwoRiders }
	twoOrders := func(v wholefleet.Verdict) []string { return v.TwoOrders }
	gaps := func(v wholefleet.Verdict) []string { return v.Gaps }
	return map[string]planted{
		"an accepted order is nowhere": {func(w *world, i int) {
			w.Clients.Placed[i].IDs = []string{w.Orders[i].ID}
			w.Orders = without(w.Orders, func(o wholefleet.Order) bool { return o.ID == fmt.Sprint("o", i) })
		}, lost},
		"an accepted order is somebody else's": {func(w *world, i int) {
			w.Clients.Placed[i].IDs = []string{w.Orders[i].ID}
			w.Clients.Placed[i].Total = "99.99"
		}, lost},
		"a wish became two orders": {func(w *world, i int) {
			twin := w.Orders[i]
			twin.ID = "twin"
			w.Orders = append(w.Orders, twin)
		}, doubled},
		"a wish was answered with two orders": {func(w *world, i int) {
			w.Clients.Placed[i].IDs = []string{w.Orders[i].ID, "twin"}
		}, doubled},
		"an order that nobody wished for": {func(w *world, i int) {
			w.Orders[i].Key = "ghost"
		}, doubled},
		"a delivered order was cancelled": {func(w *world, i int) {
			w.change(&w.Orders[i], order.Cancelled, "", auth.RoleCustomer)
		}, illegal},
		"a step was left out": {func(w *world, i int) {
			w.Log = without(w.Log, func(c wholefleet.Change) bool { return c.Order == fmt.Sprint("o", i) && c.To == order.Preparing })
		}, illegal},
		"a rider confirmed": {func(w *world, i int) {
			for j := range w.Log {
				if w.Log[j].Order == fmt.Sprint("o", i) && w.Log[j].To == order.Confirmed {
					w.Log[j].Role = auth.RoleRider
				}
			}
		}, illegal},
		"the row is behind its log": {func(w *world, i int) { w.Orders[i].Status = order.Ready }, illegal},
		"two riders were told to have an order": {func(w *world, i int) {
			a := w.Clients.Acceptances[i]
			a.Rider = "another"
			w.Clients.Acceptances = append(w.Clients.Acceptances, a)
		}, twoRiders},
		"two riders have an order": {func(w *world, i int) {
			o := w.Offers[i]
			o.Partner = "another"
			w.Offers = append(w.Offers, o)
		}, twoRiders},
		"an order is offered twice at a time": {func(w *world, i int) {
			w.Offers[i].Live = true
			o := w.Offers[i]
			o.Partner, o.Accepted = "another", false
			w.Offers = append(w.Offers, o)
		}, twoRiders},
		"an acceptance was forgotten": {func(w *world, i int) { w.Offers[i].Accepted = false }, twoRiders},
		"a rider accepted while carrying": {func(w *world, i int) {
			a := w.Clients.Acceptances[i]
			a.Order, a.Began, a.Answered = "more", a.Answered.Add(100*time.Millisecond), a.Answered.Add(200*time.Millisecond)
			w.Clients.Acceptances = append(w.Clients.Acceptances, a)
			w.Offers = append(w.Offers, wholefleet.Offer{Order: "more", Partner: a.Rider, Accepted: true})
		}, twoOrders},
		"a rider has two orders in the rows": {func(w *world, i int) {
			w.Offers[i].Live = true
			w.Offers = append(w.Offers, wholefleet.Offer{Order: "more", Partner: w.Offers[i].Partner, Live: true})
		}, twoOrders},
		"a change without its event": {func(w *world, i int) {
			gone := fmt.Sprintf("o%d/2", i)
			w.Events = without(w.Events, func(e wholefleet.Event) bool { return e.ID == gone })
			w.Stream = without(w.Stream, func(m consumer.Message) bool { return m.ID == gone })
			w.Queue = without(w.Queue, func(m consumer.Message) bool { return m.ID == gone })
		}, func(v wholefleet.Verdict) []string { return v.Unwritten }},
		"an event is not on JetStream": {func(w *world, i int) {
			w.Stream = without(w.Stream, func(m consumer.Message) bool { return m.ID == fmt.Sprintf("o%d/4", i) })
		}, func(v wholefleet.Verdict) []string { return v.Stream.Missing }},
		"an event is not on RabbitMQ": {func(w *world, i int) {
			w.Queue = without(w.Queue, func(m consumer.Message) bool { return m.ID == fmt.Sprintf("o%d/1", i) })
		}, func(v wholefleet.Verdict) []string { return v.Queue.Missing }},
		"a copy is another event": {func(w *world, i int) {
			w.Queue = append(w.Queue, consumer.Message{ID: fmt.Sprintf("o%d/1", i), Body: "changed"})
		}, func(v wholefleet.Verdict) []string { return v.Queue.Changed }},
		"a socket missed an update": {func(w *world, i int) {
			w.Clients.Updates = append(w.Clients.Updates, wholefleet.Following{Order: w.Orders[i].ID, Since: 1, Seqs: []int64{2, 4}})
		}, gaps},
		"a socket missed the last update": {func(w *world, i int) {
			w.Clients.Updates = append(w.Clients.Updates, wholefleet.Following{Order: w.Orders[i].ID, Since: 5, Seqs: []int64{6}, Whole: true})
		}, gaps},
		"a socket got an update twice": {func(w *world, i int) {
			w.Clients.Updates = append(w.Clients.Updates, wholefleet.Following{Order: w.Orders[i].ID, Seqs: []int64{1, 1, 2}})
		}, gaps},
	}
}

// TestWhatIsPutInIsFound: a checker that finds nothing proves nothing.
func TestWhatIsPutInIsFound(t *testing.T) {
	t.Parallel()
	for name, f := range faults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				w := evening(t)
				f.put(w, rapid.IntRange(0, len(w.Orders)-1).Draw(t, "order"))
				v := wholefleet.Check(w.Evidence)
				require.False(t, v.OK())
				require.NotEmpty(t, f.found(v), v)
				require.Contains(t, v.String(), "(", "the line shows an example")
			})
		})
	}
}
