package hub

import (
	"encoding/json"
	"sync"

	"tiffin/services/edge/realtime/frame"
	"tiffin/services/order"
	"tiffin/wire"
)

// The events of the live channel.
const (
	EventLocation = "location-updated"
	EventOrder    = "order-updated"
)

// EventError tells a client what went wrong.
const EventError = "error"

// logSize is how many changes a room remembers for members that are still joining. An order has about ten in its life.
const logSize = 64

// Room is one watched order.
type Room struct {
	hub   *Hub
	shard *shard
	id    string

	// The inbox, under shard.mu.
	present  int // members, and those about to be
	listed   bool
	position string
	updates  []string

	confirmed chan struct{} // closed when the live channel is first listened to

	mu        sync.Mutex
	listening bool // confirmed is closed
	members   []*Member
	forms     [2]int // members by form

	known   bool // seq and status are set
	seq     int64
	status  order.Status
	latest  order.Update           // the change that led to seq, if it came while the room was there
	log     []entry                // the newest changes, ending at seq
	ahead   map[int64]order.Update // changes after a gap
	wanted  int64                  // the highest seq known to exist
	missed  bool                   // the live channel was away for a while
	behind  bool                   // on the list of those who catch up
	newest  *frame.Frame           // position
	takenAt string                 // its timestamp
}

// entry is a change in the room's log.
type entry struct {
	seq   int64
	frame *frame.Frame
}

// handle takes what came over the live channel and gives the number of frames handed out. Positions go first: one that
// arrived together with the hand-over is older than it.
func (r *Room) handle(position string, updates []string) (sent int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if position != "" {
		sent += r.move(position)
	}
	for _, message := range updates {
		_, data, _ := frame.Split(message)
		var u order.Update
		if err := json.Unmarshal([]byte(data), &u); err != nil {
			r.hub.cfg.Log.Warn("live message of unknown shape", "order", r.id, "error", err)
			continue
		}
		sent += r.merge(u)
	}
	return sent
}

// move takes a position unless it is not newer than the current one, or the order is over.
func (r *Room) move(live string) (sent int) {
	at := takenAt(live)
	if at <= r.takenAt || r.status.Terminal() && r.known {
		return 0
	}
	f, ok := frame.Live(live)
	if !ok {
		return 0
	}
	r.newest, r.takenAt = f, at
	r.ensure(f)
	for _, m := range r.members {
		if m.admitted {
			m.to.Send(f, r)
			sent++
		}
	}
	return sent
}

// The place of the timestamp in a position's live message; tracking writes it first and with a fixed width, so that
// texts compare as times do.
const (
	positionPrefix = `{"event":"` + EventLocation + `","data":{"timestamp":"`
	timestampSize  = len("2026-11-22T14:08:39.000Z")
)

// newer gives the one of two positions that was taken later, the second of two taken at the same time.
func newer(a, b string) string {
	if takenAt(a) > takenAt(b) {
		return a
	}
	return b
}

// takenAt gives the timestamp of a position, "" for a message of another shape.
func takenAt(live string) string {
	if len(live) < len(positionPrefix)+timestampSize || live[:len(positionPrefix)] != positionPrefix {
		return ""
	}
	return live[len(positionPrefix) : len(positionPrefix)+timestampSize]
}

// ensure makes the forms the members need.
func (r *Room) ensure(f *frame.Frame) {
	for form, n := range r.forms {
		if n > 0 {
			f.Ensure(frame.Form(form))
		}
	}
}

// merge takes one change. The next one is sent, older ones are known, later ones wait until the gap before them is
// filled. Until the first snapshot has told where the order stands, all of them wait.
func (r *Room) merge(u order.Update) (sent int) {
	if r.known && u.Seq <= r.seq {
		return 0
	}
	if r.ahead == nil {
		r.ahead = map[int64]order.Update{}
	}
	r.ahead[u.Seq] = u
	if !r.known {
		return 0
	}
	sent = r.advance()
	r.want(u.Seq)
	return sent
}

// want notes that a change exists. If it has not come when changes that were overtaken on their way would have, the
// room catches up.
func (r *Room) want(seq int64) {
	r.wanted = max(r.wanted, seq)
	if r.seq < r.wanted && !r.behind {
		r.behind = true
		r.hub.fallBehindIn(r, patience)
	}
}

// advance sends the changes that follow the current one without a gap.
func (r *Room) advance() (sent int) {
	for seq := range r.ahead {
		if seq <= r.seq {
			delete(r.ahead, seq)
		}
	}
	for u, ok := r.ahead[r.seq+1]; ok; u, ok = r.ahead[r.seq+1] {
		delete(r.ahead, u.Seq)
		sent += r.apply(u)
	}
	if len(r.ahead) == 0 {
		r.ahead = nil
	}
	return sent
}

// apply makes a change the current one and sends it.
func (r *Room) apply(u order.Update) (sent int) {
	f := updateFrame(u)
	r.seq, r.status, r.latest = u.Seq, u.Status, u
	if u.Status.Terminal() {
		r.newest = nil // nobody who comes now may see where the rider is
	}
	if r.log = append(r.log, entry{u.Seq, f}); len(r.log) > logSize {
		r.log = append(r.log[:0:0], r.log[1:]...)
	}
	r.ensure(f)
	for _, m := range r.members {
		if !m.admitted || m.seq >= u.Seq {
			continue
		}
		if !m.to.Stays(u) {
			m.admitted = false
			m.send(dismissed(r.id))
			continue
		}
		m.seq = u.Seq
		m.to.Send(f, nil)
		sent++
	}
	return sent
}

// dismissed tells a member that nothing more will come.
func dismissed(orderID string) *frame.Frame {
	return frame.Event(EventError, []byte(`{"message":"the order `+orderID+` is no longer yours to see"}`))
}

func updateFrame(u order.Update) *frame.Frame {
	data, err := wire.Encode(u)
	if err != nil {
		data = []byte("null") // a struct of strings and numbers always encodes
	}
	return frame.Event(EventOrder, data)
}

// confirm notes that the live channel is listened to; again tells that it was before.
func (r *Room) confirm() (again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listening {
		again = !r.behind
		r.behind, r.missed = true, true
		return again
	}
	r.listening = true
	close(r.confirmed)
	return false
}

// settle merges a snapshot into the room. Members that are admitted get what is new in it.
func (r *Room) settle(snap Snapshot) (sent int) {
	if !r.known {
		r.known, r.seq, r.status = true, snap.Seq, snap.Status
	}
	if snap.Live != "" && !snap.Status.Terminal() {
		sent += r.move(snap.Live)
	}
	for _, u := range snap.Updates {
		if u.Seq > r.seq {
			sent += r.merge(u)
		}
	}
	sent += r.advance()
	r.want(snap.Seq)
	return sent
}
