package bridge

import "sync"

// entry is one event between JetStream and RabbitMQ. E is what the caller keeps with it.
type entry[E any] struct {
	key       string // the order: entries of one key are published one after the other
	event     E
	confirmed bool
	next      *entry[E] // the entry of the same key that waits for this one
}

// window holds the entries of a session in stream order, from the oldest unconfirmed on. It decides which may be
// published now, and up to where everything is confirmed. It is safe for concurrent use.
type window[E any] struct {
	mu    sync.Mutex
	order []*entry[E]
	tails map[string]*entry[E] // by key: the last entry of those in the window
	last  bool                 // no further entry will be added
	empty chan struct{}        // closed when last is set and order is empty
}

func newWindow[E any]() *window[E] {
	return &window[E]{tails: make(map[string]*entry[E]), empty: make(chan struct{})}
}

// add appends an entry; false when it has to wait for an earlier one of its key.
func (w *window[E]) add(e *entry[E]) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.order = append(w.order, e)
	before := w.tails[e.key]
	w.tails[e.key] = e
	if before != nil {
		before.next = e
	}
	return before == nil
}

// confirm marks an entry as safe with RabbitMQ. It gives the entry that may be published now because it waited for this
// one, and the entries that everything before is confirmed up to: the last of them is the new floor.
func (w *window[E]) confirm(e *entry[E]) (next *entry[E], settled []*entry[E]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.confirmed = true
	if e.next == nil {
		delete(w.tails, e.key)
	}
	n := 0
	for n < len(w.order) && w.order[n].confirmed {
		n++
	}
	settled, w.order = w.order[:n:n], w.order[n:]
	w.checkEmpty()
	return e.next, settled
}

// close says that no further entry will be added.
func (w *window[E]) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = true
	w.checkEmpty()
}

func (w *window[E]) checkEmpty() {
	if !w.last || len(w.order) > 0 {
		return
	}
	select {
	case <-w.empty:
	default:
		close(w.empty)
	}
}
