package hub

import (
	"context"
	"time"
)

// The pace of catching up.
const (
	patience     = 100 * time.Millisecond // changes a moment apart may change places on their way
	fetchTimeout = 3 * time.Second
	fetchPause   = time.Second // after a failure
	// maxFetches bounds how many rooms catch up at once. After an absence of Redis all of them want to.
	maxFetches = 16
)

// fallBehind has the room catch up. With a full list it tries to get on it again a little later.
func (h *Hub) fallBehind(r *Room) {
	if h.stopped.Load() {
		return
	}
	select {
	case h.behind <- r:
	default:
		h.fallBehindIn(r, fetchPause)
	}
}

func (h *Hub) fallBehindIn(r *Room, d time.Duration) {
	time.AfterFunc(d, func() { h.fallBehind(r) })
}

// catchUp serves rooms that may have missed something, until ctx ends.
func (h *Hub) catchUp(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-h.behind:
			r.catchUp(ctx)
		}
	}
}

// catchUp reads where the order stands, if that is still needed, and tries again later when it cannot be read.
func (r *Room) catchUp(ctx context.Context) {
	since, needed := r.lacks()
	if !needed {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	snap, err := r.hub.cfg.Fetch(ctx, r.id, since)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.hub.cfg.Log.Warn("order not caught up, trying again", "order", r.id, "error", err)
		r.missed = true
		r.hub.fallBehindIn(r, fetchPause)
		return
	}
	r.behind = false
	r.hub.delivered.Add(int64(r.settle(snap)))
}

// lacks tells whether the room has to catch up, and from where. A room without members that were told something has
// nothing to repair: those who are about to be bring snapshots of their own.
func (r *Room) lacks() (since int64, needed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	needed = r.known && len(r.members) > 0 && (r.missed || r.seq < r.wanted)
	r.behind, r.missed = needed, false
	return r.seq, needed
}
