package hub

import (
	"context"

	"tiffin/services/edge/realtime/frame"
	"tiffin/services/order"
)

// Member is one socket in one room.
type Member struct {
	room *Room
	to   Receiver

	// Under room.mu.
	admitted bool
	seq      int64 // of the last change sent
	index    int   // in room.members
}

// add makes a member.
func (r *Room) add(to Receiver) *Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &Member{room: r, to: to, index: len(r.members)}
	r.members = append(r.members, m)
	r.forms[to.Form()]++
	return m
}

// OrderID tells which order the room is about.
func (m *Member) OrderID() string { return m.room.id }

// Listening waits until the live channel of the order is listened to. It returns ctx's error when it ends first.
func (m *Member) Listening(ctx context.Context) error {
	select {
	case <-m.room.confirmed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// State is what a member is told when it is admitted.
type State struct {
	Status order.Status
	Seq    int64
	Live   string // the last known position as a live message, "" without one
}

// Admit lets the member have what happens from now on, beginning with the answer that ack makes (nil for none), the last known position
// and, with since, every change after it. The snapshot must have been read after Listening, with the changes after
// since. False when the room has moved on so far that the snapshot must be read again.
//
// Nothing can come between these frames or be missing after them, because all of it happens in the room's lock.
func (m *Member) Admit(snap Snapshot, since *int64, ack func(State) *frame.Frame) bool {
	r := m.room
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.settle(snap)
	if r.latest.Seq > snap.Seq && !m.to.Stays(r.latest) {
		return false // a snapshot of now would be refused
	}
	state := State{Status: snap.Status, Seq: snap.Seq}
	if r.seq > snap.Seq {
		state.Status, state.Seq = r.status, r.seq
	}
	missed, ok := r.between(snap.Seq)
	if since != nil && !ok {
		return false
	}
	if r.newest != nil && !state.Status.Terminal() {
		state.Live = r.newest.Live()
	}
	if answer := ack(state); answer != nil {
		m.to.Send(answer, nil)
	}
	if state.Live != "" {
		r.newest.Ensure(m.to.Form())
		m.to.Send(r.newest, r)
	}
	if since != nil {
		for _, u := range snap.Updates {
			if u.Seq > *since {
				m.send(updateFrame(u))
			}
		}
		for _, e := range missed {
			if e.seq > *since {
				m.send(e.frame)
			}
		}
	}
	m.seq, m.admitted = max(m.seq, state.Seq), true
	r.hub.delivered.Add(int64(sent) + 1)
	return true
}

func (m *Member) send(f *frame.Frame) {
	f.Ensure(m.to.Form())
	m.to.Send(f, nil)
}

// between gives the changes after seq from the room's log, false when the log does not reach back that far.
func (r *Room) between(seq int64) ([]entry, bool) {
	for i, e := range r.log {
		if e.seq == seq+1 {
			return r.log[i:], true
		}
	}
	return nil, r.seq <= seq
}

// Leave takes the member out of its room. The last one closes it.
func (m *Member) Leave() {
	r := m.room
	r.mu.Lock()
	last := len(r.members) - 1
	r.members[m.index] = r.members[last]
	r.members[m.index].index = m.index
	r.members[last] = nil
	r.members = r.members[:last]
	r.forms[m.to.Form()]--
	m.admitted = false
	r.mu.Unlock()

	s := r.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.present--; r.present == 0 {
		delete(s.rooms, r.id)
		r.hub.cfg.Channel.Unwatch(r.id)
	}
}
