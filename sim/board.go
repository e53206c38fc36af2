package sim

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tiffin/services/order"
)

// board prints what happens, one line a milestone, and keeps the score.
type board struct {
	out   io.Writer
	clock func() time.Time

	mu       sync.Mutex
	orders   map[string]*course
	ended    map[order.Status]int
	resumed  int // orders of earlier evenings that ended in this one
	placed   int
	took     []time.Duration // from placing to delivery, of this evening's orders
	fixes    int             // positions that riders sent
	seen     int             // positions that customers saw
	problems map[string]int
}

// course is what is known of one order.
type course struct {
	town     string
	placedAt time.Time // zero: in an earlier evening
	status   order.Status
	rider    string
	ended    bool
}

// newBoard makes an empty board that prints to out.
func newBoard(out io.Writer, clock func() time.Time) *board {
	return &board{
		out: out, clock: clock, orders: make(map[string]*course), ended: make(map[order.Status]int), problems: make(map[string]int),
	}
}

// line prints one line of an order. It needs mu.
func (b *board) line(id, town, what, detail string) {
	// The last digits of an id are random, the first ones are the time and alike.
	short := id[max(0, len(id)-6):]
	text := fmt.Sprintf("%s  %-16s #%s  %-10s %s", b.clock().Format(time.TimeOnly), town, short, what, detail)
	// Who plays into a closed pipe plays on.
	_, _ = fmt.Fprintln(b.out, strings.TrimRight(text, " "))
}

// say prints a line about no order in particular.
func (b *board) say(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, _ = fmt.Fprintf(b.out, "%s  %s\n", b.clock().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// place notes a new order.
func (b *board) place(town string, o order.Order, restaurant string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.placed++
	b.orders[o.ID] = &course{town: town, placedAt: b.clock(), status: o.Status}
	b.line(o.ID, town, "placed", fmt.Sprintf("%s, %s for %s", restaurant, dishes(o), o.TotalAmount))
}

// dishes counts what has to be carried.
func dishes(o order.Order) string {
	n := 0
	for _, item := range o.Items {
		n += item.Quantity
	}
	if n == 1 {
		return "1 dish"
	}
	return fmt.Sprintf("%d dishes", n)
}

// resume notes an order of an earlier evening that somebody goes on with.
func (b *board) resume(town string, o order.Order) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.orders[o.ID]; known || o.Status.Terminal() {
		return
	}
	b.orders[o.ID] = &course{town: town, status: o.Status}
	b.line(o.ID, town, "resumed", "it is "+string(o.Status))
}

// assigned notes to whom an order is offered.
func (b *board) assigned(id, rider string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, known := b.orders[id]; known && !c.ended && c.rider != rider {
		c.rider = rider
		b.line(id, c.town, "offered", "to "+rider)
	}
}

// rode notes something a rider did.
func (b *board) rode(id, what, detail string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, known := b.orders[id]; known {
		b.line(id, c.town, what, detail)
	}
}

// reached notes an order's status, from whoever learnt of it first.
func (b *board) reached(id string, status order.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, known := b.orders[id]
	if !known || c.ended || c.status == status {
		return
	}
	c.status = status
	detail := ""
	if status.Terminal() {
		c.ended = true
		b.ended[status]++
		if c.placedAt.IsZero() {
			b.resumed++
		} else if status == order.Delivered {
			took := b.clock().Sub(c.placedAt)
			b.took = append(b.took, took)
			detail = "after " + took.Round(time.Second).String()
		}
	}
	b.line(id, c.town, string(status), detail)
}

// fix counts a position that a rider sent, sight one that a customer saw.
func (b *board) fix()   { b.mu.Lock(); defer b.mu.Unlock(); b.fixes++ }
func (b *board) sight() { b.mu.Lock(); defer b.mu.Unlock(); b.seen++ }

// trouble counts something that should not happen, and prints the first of its kind.
func (b *board) trouble(what string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems[what]++
	if b.problems[what] == 1 {
		_, _ = fmt.Fprintf(b.out, "%s  %s: %v\n", b.clock().Format(time.TimeOnly), what, err)
	}
}

// open counts the orders that have not ended.
func (b *board) open() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.orders {
		if !c.ended {
			n++
		}
	}
	return n
}

// summary is the score.
func (b *board) summary(limited, failed int64) string {
	open := b.open()
	b.mu.Lock()
	defer b.mu.Unlock()
	var s strings.Builder
	fmt.Fprintf(&s, "\n%d orders placed", b.placed)
	if b.resumed > 0 {
		fmt.Fprintf(&s, ", %d of earlier evenings ended", b.resumed)
	}
	for _, status := range slices.Sorted(maps.Keys(b.ended)) {
		fmt.Fprintf(&s, ", %d %s", b.ended[status], status)
	}
	fmt.Fprintf(&s, ", %d still under way\n", open)
	if len(b.took) > 0 {
		slices.Sort(b.took)
		fmt.Fprintf(&s, "delivered after %v (median), %v (slowest)\n",
			b.took[len(b.took)/2].Round(time.Second), b.took[len(b.took)-1].Round(time.Second))
	}
	fmt.Fprintf(&s, "%d positions sent, %d seen by customers\n", b.fixes, b.seen)
	fmt.Fprintf(&s, "%d answers asked us to slow down, %d requests failed for a time\n", limited, failed)
	for _, what := range slices.Sorted(maps.Keys(b.problems)) {
		fmt.Fprintf(&s, "%d× %s\n", b.problems[what], what)
	}
	return s.String()
}
