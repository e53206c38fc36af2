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
// come while others are being committed share the next round trip and the next
// flush of the log, as PostgreSQL's own group commit shares the latter. Nobody
// waits for company: without concurrency each transaction goes alone, at once.
//
// A caller cannot tell the difference. A group that fails is rolled back and
// its members are run one by one, so that each gets its own error.
type Group struct {
	set   *Set
	mu    sync.Mutex
	lanes map[Region]*groupLane
}

// groupLane is what one region has waiting and under way.
type groupLane struct {
	waiting []*member
	running int
}

// member is a transaction in a group.
type member struct {
	Work
	ctx  context.Context // whose trace this belongs to
	done chan error      // room for one
}

// NewGroup returns a group that commits to the shards of the set.
func NewGroup(set *Set) *Group { return &Group{set: set, lanes: make(map[Region]*groupLane)} }

// Commit runs a transaction on the shard that owns the region; errors are those
// of DB.InBatch. When ctx ends meanwhile, the outcome is unknown.
func (g *Group) Commit(ctx context.Context, region Region, w Work) (err error) {
	db, err := g.set.ByRegion(region)
	if err != nil {
		return err
	}
	m := &member{Work: w, done: make(chan error, 1)}
	var end func(error)
	m.ctx, end = m.together(ctx, db.ID())
	defer func() { end(err) }()
	g.mu.Lock()
	lane := g.lanes[region]
	if lane == nil {
		lane = &groupLane{}
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
func (g *Group) withdraw(lane *groupLane, m *member) bool {
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
func (g *Group) drive(db *DB, lane *groupLane) {
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
		commitGroup(db, group)
	}
}

// commitGroup answers every member. A member that stops waiting does not stop
// its transaction, which others may share.
func commitGroup(db *DB, group []*member) {
	if len(group) == 1 {
		group[0].alone(db)
		return
	}
	fills := make([]func(*pgx.Batch) error, len(group))
	for i, m := range group {
		fills[i] = m.Fill
	}
	ctx := traced(group, func(m *member) context.Context { return m.ctx })
	err := db.inBatch(ctx, groupPatience, fills...)
	if err == nil || CommitUnknown(err) {
		for _, m := range group {
			m.done <- err
		}
		return
	}
	for _, m := range group {
		go m.alone(db)
	}
}

// alone runs a member's transaction by itself.
func (m *member) alone(db *DB) { m.done <- db.InBatch(context.WithoutCancel(m.ctx), m.Work) }
