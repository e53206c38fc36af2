package realtime

import (
	"context"
	"sync"
	"time"
)

// wheelSlots divides the ping interval. More slots would smooth the pings of very many clients further, at more ticks.
const wheelSlots = 25

// wheel is the heartbeat of all clients: one ticker instead of a timer for each. Every tick it pings the clients of one
// slot, and looks whether those of the slot that was pinged a timeout ago have answered.
type wheel struct {
	tick   time.Duration
	behind int // slots between the pinging and the checking hand

	mu    sync.Mutex
	slots [wheelSlots][]*client
	next  int // slot of the next client
}

func newWheel(interval, timeout time.Duration) *wheel {
	tick := interval / wheelSlots
	return &wheel{tick: tick, behind: int((timeout + tick - 1) / tick)}
}

// add places a client. Clients that arrive together are spread over the interval.
func (w *wheel) add(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slot := w.next
	w.next = (w.next + 1) % wheelSlots
	c.slot, c.place = slot, len(w.slots[slot])
	w.slots[slot] = append(w.slots[slot], c)
}

// remove takes a client out that was added and not yet removed.
func (w *wheel) remove(c *client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slot := w.slots[c.slot]
	last := len(slot) - 1
	slot[c.place] = slot[last]
	slot[c.place].place = c.place
	slot[last] = nil
	w.slots[c.slot] = slot[:last]
}

// all lists the clients, those of one slot after the other.
func (w *wheel) all() []*client {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*client
	for _, slot := range w.slots {
		all = append(all, slot...)
	}
	return all
}

// copyOf appends the clients of a slot to buf.
func (w *wheel) copyOf(slot int, buf []*client) []*client {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append(buf, w.slots[slot]...)
}

// run turns the wheel until ctx ends.
func (w *wheel) run(ctx context.Context) error {
	ticker := time.NewTicker(w.tick)
	defer ticker.Stop()
	var batch []*client
	for hand := 0; ; hand = (hand + 1) % wheelSlots {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		batch = w.copyOf((hand+wheelSlots-w.behind)%wheelSlots, batch[:0])
		for _, c := range batch {
			c.check()
		}
		batch = w.copyOf(hand, batch[:0])
		for _, c := range batch {
			c.beat()
		}
		clear(batch)
	}
}
