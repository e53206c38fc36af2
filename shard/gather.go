package shard

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

const (
	// maxGather bounds how many readers wait for one query.
	maxGather = 64
	// gatherPatience is how long a query keeps the next one of its region
	// waiting. Most take a tenth of it; one that hangs shall hold up nobody else.
	gatherPatience = 20 * time.Millisecond
)

// ReadAll reads what belongs to the ids, by id, and leaves out what does not
// exist. What it returns may go to several callers: none of them may change it.
type ReadAll[T any] func(ctx context.Context, q Querier, ids []string) (map[string]T, error)

// Gather reads rows by id for concurrent callers together: those that come
// while others are being read share the next query. Nobody waits for company,
// and a query begins after everybody has come whom it answers: what a caller
// gets is as fresh as if it had asked alone.
type Gather[T any] struct {
	set  *Set
	read ReadAll[T]
	// patience is how long a query keeps the next one waiting.
	patience time.Duration

	mu    sync.Mutex
	lanes map[Region]*gatherLane[T]
}

// gatherLane is what one region has waiting, and whether somebody looks after it.
type gatherLane[T any] struct {
	waiting []*reader[T]
	driven  bool
}

// reader waits for one row.
type reader[T any] struct {
	ctx  context.Context // whose trace this belongs to
	id   string
	done chan struct{}

	value T
	found bool
	err   error
}

// NewGather reads from the shards of the set.
func NewGather[T any](set *Set, read ReadAll[T]) *Gather[T] {
	return &Gather[T]{set: set, read: read, patience: gatherPatience, lanes: make(map[Region]*gatherLane[T])}
}

// Get returns what belongs to an id; errors are those of Set.ByID, DB.Do and
// the reading function. It returns early when ctx ends.
func (g *Gather[T]) Get(ctx context.Context, id string) (value T, found bool, err error) {
	db, err := g.set.ByID(id)
	if err != nil {
		return value, false, err
	}
	// An id may be written in capitals; the database answers in small letters.
	r := &reader[T]{ctx: ctx, id: strings.ToLower(id), done: make(chan struct{})}
	g.join(db, r)
	select {
	case <-r.done:
		return r.value, r.found, r.err
	case <-ctx.Done():
		return value, false, ctx.Err()
	}
}

// join queues a reader, and sets off if nobody else does.
func (g *Gather[T]) join(db *DB, r *reader[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lane := g.lanes[db.region]
	if lane == nil {
		lane = &gatherLane[T]{}
		g.lanes[db.region] = lane
	}
	lane.waiting = append(lane.waiting, r)
	if !lane.driven {
		lane.driven = true
		go g.drive(db, lane)
	}
}

// drive answers group after group until nobody waits, or until one has taken
// so long that another driver took over.
func (g *Gather[T]) drive(db *DB, lane *gatherLane[T]) {
	for group := g.next(lane); group != nil; group = g.next(lane) {
		slow := time.AfterFunc(g.patience, func() { g.drive(db, lane) })
		g.answer(db, group)
		if !slow.Stop() {
			return
		}
	}
}

// next takes those who wait; nil ends the driver.
func (g *Gather[T]) next(lane *gatherLane[T]) (group []*reader[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(lane.waiting), maxGather)
	if n == 0 {
		lane.driven = false
		return nil
	}
	if group, lane.waiting = lane.waiting[:n:n], lane.waiting[n:]; len(lane.waiting) == 0 {
		lane.waiting = nil // the group has the array
	}
	return group
}

// answer reads for a group. Unless the shard itself is away, an error may be of
// one row: then each is read alone, so that nobody gets another's.
func (g *Gather[T]) answer(db *DB, group []*reader[T]) {
	ids, asked := make([]string, 0, len(group)), make(map[string]struct{}, len(group))
	for _, r := range group {
		if _, twice := asked[r.id]; !twice {
			asked[r.id] = struct{}{}
			ids = append(ids, r.id)
		}
	}
	var rows map[string]T
	ctx := traced(group, func(r *reader[T]) context.Context { return r.ctx })
	err := db.Do(ctx, func(ctx context.Context, q Querier) (err error) {
		rows, err = g.read(ctx, q, ids)
		return err
	})
	if err != nil && len(group) > 1 && !errors.Is(err, ErrUnavailable) {
		for _, r := range group {
			go g.answer(db, []*reader[T]{r})
		}
		return
	}
	for _, r := range group {
		r.value, r.found = rows[r.id]
		r.err = err
		close(r.done)
	}
}
