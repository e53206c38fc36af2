package hub

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"tiffin/services/edge/realtime/frame"
	"tiffin/services/order"
)

// Receiver is a socket. Its methods must not block.
type Receiver interface {
	Form() frame.Form
	Send(f *frame.Frame, slot any)
	// Stays is asked about every change: false when it takes from the receiver the right to see the order.
	Stays(u order.Update) bool
}

// Channel is the live channel of orders. Both methods must not block; the answer to Watch is Hub.Confirmed.
type Channel interface {
	Watch(orderID string)
	Unwatch(orderID string)
}

// Snapshot is where an order stands.
type Snapshot struct {
	Status  order.Status
	Seq     int64
	Updates []order.Update // the changes after the seq asked for, up to Seq, without gaps
	Live    string         // the last known position as a live message, "" without one
}

// Fetch reads the snapshot of an order with the changes after since, on the edge's own behalf.
type Fetch func(ctx context.Context, orderID string, since int64) (Snapshot, error)

// Config is what a Hub needs. All but Workers are required.
type Config struct {
	Channel Channel
	Fetch   Fetch
	Workers int // how many goroutines broadcast; default 1
	Log     *slog.Logger
}

// Hub holds the rooms. Make it with New.
type Hub struct {
	cfg     Config
	seed    maphash.Seed
	shards  []*shard
	behind  chan *Room // rooms to catch up
	stopped atomic.Bool

	delivered, replaced atomic.Int64
}

// shard is a part of the rooms, with one worker.
type shard struct {
	wake chan struct{}

	mu    sync.Mutex
	rooms map[string]*Room
	dirty []*Room // rooms with messages
}

// New makes an empty hub. Nothing is delivered before Run.
func New(cfg Config) *Hub {
	h := &Hub{cfg: cfg, seed: maphash.MakeSeed(), behind: make(chan *Room, 1024)}
	for range max(1, cfg.Workers) {
		h.shards = append(h.shards, &shard{wake: make(chan struct{}, 1), rooms: map[string]*Room{}})
	}
	return h
}

// Run broadcasts until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	defer h.stopped.Store(true)
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range h.shards {
		g.Go(func() error { return s.run(ctx, h) })
	}
	for range maxFetches {
		g.Go(func() error { return h.catchUp(ctx) })
	}
	return g.Wait()
}

func (h *Hub) shard(orderID string) *shard {
	return h.shards[maphash.String(h.seed, orderID)%uint64(len(h.shards))]
}

// Enter adds a receiver to the room of an order, which is made if it is the first. The member gets nothing before
// Room.Admit. Every member must Leave.
func (h *Hub) Enter(orderID string, to Receiver) *Member {
	s := h.shard(orderID)
	s.mu.Lock()
	room := s.rooms[orderID]
	if room == nil {
		room = &Room{hub: h, shard: s, id: orderID, confirmed: make(chan struct{})}
		s.rooms[orderID] = room
		// Inside the lock, so that a Watch and the Unwatch of the room before it cannot change places.
		h.cfg.Channel.Watch(orderID)
	}
	room.present++
	s.mu.Unlock()
	return room.add(to)
}

// Deliver files a message of the live channel in its room, if there is one.
func (h *Hub) Deliver(orderID, message string) {
	event, _, ok := frame.Split(message)
	if !ok {
		h.cfg.Log.Warn("live message of unknown shape", "order", orderID)
		return
	}
	s := h.shard(orderID)
	s.mu.Lock()
	room := s.rooms[orderID]
	if room == nil {
		s.mu.Unlock()
		return
	}
	if event == EventLocation {
		if room.position != "" {
			h.replaced.Add(1)
		}
		room.position = newer(room.position, message)
	} else {
		room.updates = append(room.updates, message)
	}
	s.enlist(room)
	s.mu.Unlock()
}

// enlist puts the room on its worker's list. s.mu is held.
func (s *shard) enlist(room *Room) {
	if room.listed {
		return
	}
	room.listed = true
	s.dirty = append(s.dirty, room)
	select {
	case s.wake <- struct{}{}:
	default: // the worker has not yet looked since the last time
	}
}

// Confirmed tells that the live channel of the order is (again) being listened to. Of what was published before nothing
// is known: a room that had been listening catches up.
func (h *Hub) Confirmed(orderID string) {
	s := h.shard(orderID)
	s.mu.Lock()
	room := s.rooms[orderID]
	s.mu.Unlock()
	if room != nil && room.confirm() {
		h.fallBehind(room)
	}
}

// Rooms counts the rooms; Delivered and Replaced count frames handed to sockets and positions left out for newer ones.
func (h *Hub) Rooms() int {
	n := 0
	for _, s := range h.shards {
		s.mu.Lock()
		n += len(s.rooms)
		s.mu.Unlock()
	}
	return n
}

// Delivered counts the frames handed to sockets since the start.
func (h *Hub) Delivered() int64 { return h.delivered.Load() }

// Replaced counts the positions that a newer one overtook before they were sent.
func (h *Hub) Replaced() int64 { return h.replaced.Load() }

// run handles rooms with messages, in the order in which they got them.
func (s *shard) run(ctx context.Context, h *Hub) error {
	var batch []*Room
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		s.mu.Lock()
		batch, s.dirty = s.dirty, batch[:0]
		s.mu.Unlock()
		for i, room := range batch {
			batch[i] = nil
			position, updates := s.take(room)
			h.delivered.Add(int64(room.handle(position, updates)))
		}
	}
}

// take empties the room's inbox. What arrives from now on puts the room on the list again.
func (s *shard) take(room *Room) (position string, updates []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	position, updates = room.position, room.updates
	room.position, room.updates, room.listed = "", nil, false
	return position, updates
}
