package shard

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// groupsUnderWay is how many groups of one region are committed at once. Two
	// would be half as large each, and the flush of the log is the same for any.
	groupsUnderWay = 1
	// maxGroup bounds how many transactions wait for the slowest among them.
	maxGroup = 32
	// groupPatience is how long a group waits for a lock that only one of its
	// members wants. After that each is run alone, with a patience of its own.
	groupPatience = 10 * time.Millisecond
)

// Group commits the transactions of concurrent callers together: those that
// come while others are being committed share the next statements, the next
// round trip and the next flush of the log, as PostgreSQL's own group commit
// shares the latter. Nobody waits for company: without concurrency each
// transaction goes alone, at once.
//
// A caller cannot tell the difference. A group that fails is rolled back and
// its members are run one by one, so that each gets its own error.
type Group[T any] struct {
	set   *Set
	fill  func(*pgx.Batch, []T) error
	mu    sync.Mutex
	lanes map[Region]*groupLane[T]
}

// groupLane is what one region has waiting and under way.
type groupLane[T any] struct {
	waiting []*member[T]
	running int
}

// member is a transaction in a group: what it writes, and how long it waits for
// a lock when it is alone.
type member[T any] struct {
	what T
	lock time.Duration
	ctx  context.Context // whose trace this belongs to
	done chan error      // room for one
}

// NewGroup returns a group that commits to the shards of the set. fill queues
// the statements that write what one or several callers want written, in one
// region. It may be called more than once for the same, and must not change it.
func NewGroup[T any](set *Set, fill func(b *pgx.Batch, what []T) error) *Group[T] {
	return &Group[T]{set: set, fill: fill, lanes: make(map[Region]*groupLane[T])}
}

// Commit writes on the shard that owns the region; errors are those of
// DB.InBatch. lock is how long a statement waits for a lock, 0: as long as the
// pool lets it. When ctx ends meanwhile, the outcome is unknown.
func (g *Group[T]) Commit(ctx context.Context, region Region, lock time.Duration, what T) (err error) {
	db, err := g.set.ByRegion(region)
	if err != nil {
		return err
	}
	m := &member[T]{what: what, lock: lock, done: make(chan error, 1)}
	var end func(error)
	m.ctx, end = together(ctx, db.ID())
	defer func() { end(err) }()
	g.mu.Lock()
	lane := g.lanes[region]
	if lane == nil {
		lane = &groupLane[T]{}
		g.lanes[region] = lane
	}
	lane.waiting = append(lane.waiting, m)
	if lane.running < groupsUnderWay {
		lane.running++
		go g.drive(db, lane)
	}
	g.mu.Unlock()
	select {
	case err := <-m.done:
		return err
	case <-ctx.Done():
		if g.withdraw(lane, m) {
			return ctx.Err()
		}
		return &UnavailableError{Shard: db.ID(), CommitUnknown: true, Err: ctx.Err()}
	}
}

// withdraw takes back what is still waiting; false when it is under way.
func (g *Group[T]) withdraw(lane *groupLane[T], m *member[T]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(lane.waiting, m)
	if i < 0 {
		return false
	}
	lane.waiting = slices.Delete(lane.waiting, i, i+1)
	return true
}

// drive commits group after group until nobody waits.
func (g *Group[T]) drive(db *DB, lane *groupLane[T]) {
	for {
		g.mu.Lock()
		n := min(len(lane.waiting), maxGroup)
		if n == 0 {
			lane.running--
			g.mu.Unlock()
			return
		}
		group := slices.Clone(lane.waiting[:n])
		lane.waiting = slices.Delete(lane.waiting, 0, n)
		g.mu.Unlock()
		g.commit(db, group)
	}
}

// commit answers every member. A member that stops waiting does not stop its
// transaction, which others may share.
func (g *Group[T]) commit(db *DB, group []*member[T]) {
	if len(group) == 1 {
		g.alone(db, group[0])
		return
	}
	all := make([]T, len(group))
	for i, m := range group {
		all[i] = m.what
	}
	ctx := traced(group, func(m *member[T]) context.Context { return m.ctx })
	err := db.InBatch(ctx, g.work(groupPatience, all...))
	if err == nil || CommitUnknown(err) {
		for _, m := range group {
			m.done <- err
		}
		return
	}
	for _, m := range group {
		go g.alone(db, m)
	}
}

// alone runs a member's transaction by itself.
func (g *Group[T]) alone(db *DB, m *member[T]) {
	m.done <- db.InBatch(context.WithoutCancel(m.ctx), g.work(m.lock, m.what))
}

// work is the transaction that writes all of what.
func (g *Group[T]) work(lock time.Duration, what ...T) Work {
	return Work{LockTimeout: lock, Fill: func(b *pgx.Batch) error { return g.fill(b, what) }}
}
