package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DefaultMaxLag is how old an answer of Stale may be unless Options say
// otherwise.
const DefaultMaxLag = time.Second

// maxPositions is how many positions of a primary are remembered: a replica that
// is farther behind has fallen out of use long ago.
const maxPositions = 64

// Why a replica is not read.
var (
	errUnseen  = errors.New("the replica has not been looked at yet")
	errNoCopy  = errors.New("the replica's URL leads to no standby of this shard")
	errLagging = errors.New("the replica is too far behind, or its primary away")
)

// replica is a streaming copy of a shard, for reads that may be a moment old.
//
// How old its answers are is measured by positions in the log and by this
// process's own clock: what the primary had written when it was asked at a
// moment, and what the replica has replayed since. So it needs no agreement of
// clocks, no load on the primary to move a timestamp, and no word of the replica
// about a connection that may have been dead for a minute. Nothing new known of
// the primary means that the replica grows old.
type replica struct {
	primary *node
	pool    *pgxpool.Pool
	maxLag  time.Duration
	seen    atomic.Pointer[sighting]

	reads     atomic.Int64 // answered by the replica
	fallbacks atomic.Int64 // answered by the primary instead

	positions []position // of the primary, oldest first; the watch's own
}

// sighting is what the last look found.
type sighting struct {
	asOf  time.Time // everything committed until then is there
	owned []Region  // regions that the shard owns, as far as the replica knows
	err   error     // why it may not be read; nil when it may, until asOf is too old
}

// position is how far the primary's log went at a moment, at least.
type position struct {
	at  time.Time
	lsn int64
}

// newReplica makes the pool, and waits for no connection.
func newReplica(n *node, shard ShardConfig, opts Options) (*replica, error) {
	name := "POSTGRES_SHARD_" + upper(shard.ID) + "_REPLICA_URL"
	pool, err := newPool(name, shard.ReplicaURL, shard.ReplicaTLS, shard.ID+replicaSuffix, opts)
	if err != nil {
		return nil, err
	}
	r := &replica{primary: n, pool: pool, maxLag: opts.MaxLag}
	r.seen.Store(&sighting{err: errUnseen})
	return r, nil
}

// replicaSuffix behind a shard's id names its replica in checks and metrics.
const replicaSuffix = ".replica"

// watch looks at the replica until ctx ends, often enough that the time between
// two looks is a small part of the lag that is allowed.
func (r *replica) watch(ctx context.Context) {
	every := min(max(r.maxLag/5, 20*time.Millisecond), time.Second)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		r.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// identity tells two clusters, and two databases of one, from each other.
const identity = `(select system_identifier from pg_control_system()) || ' ' || current_database()`

// look asks both servers where they are. A replica that answers may be read
// again, whatever it did before; how much it lags is another question.
func (r *replica) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	now := &sighting{asOf: r.seen.Load().asOf}
	var primary string
	at := position{at: time.Now()}
	err := r.primary.pool.QueryRow(ctx, `select `+identity+`, (pg_current_wal_lsn() - '0/0')::bigint`).Scan(&primary, &at.lsn)
	if err == nil {
		r.positions = append(r.positions, at)
		r.positions = r.positions[max(0, len(r.positions)-maxPositions):]
	}
	var copyOf string
	var standby bool
	var replayed int64
	rerr := r.pool.QueryRow(ctx, `select `+identity+`, pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::bigint,
		(select coalesce(array_agg(region), '{}') from shard.ownership where state = 'owner' and peer is null)`).
		Scan(&copyOf, &standby, &replayed, &now.owned)
	switch {
	case rerr != nil:
		now.err = rerr
	case !standby, err == nil && copyOf != primary:
		now.err = errNoCopy
	default:
		for _, p := range slices.Backward(r.positions) {
			if p.lsn <= replayed {
				now.asOf = p.at
				break
			}
		}
	}
	r.seen.Store(now)
}

// unfit says why the replica may not be asked about the regions now, nil when it
// may. A region that is only just arriving there does not count as owned until
// the replica knows better: until then it has a part of its rows.
func (r *replica) unfit(regions ...Region) error {
	seen := r.seen.Load()
	if seen.err != nil {
		return seen.err
	}
	if time.Since(seen.asOf) > r.maxLag {
		return errLagging
	}
	for _, region := range regions {
		if !slices.Contains(seen.owned, region) {
			return fmt.Errorf("the replica does not know yet that %s lives here", region)
		}
	}
	return nil
}

// suspend stops further reads until the next look finds the replica well.
func (r *replica) suspend(err error) {
	seen := *r.seen.Load()
	seen.err = err
	r.seen.Store(&seen)
}

// Stale gives a handle whose Do may be answered by the shard's replica, and so
// be as old as Options.MaxLag: for reads that nobody compares with what they
// have just written, and by which nothing is decided. Without a replica, or when
// it is away, frozen, too far behind or refuses, the primary answers; nobody
// sees a difference. Transactions go to the primary.
func (d *DB) Stale() *DB {
	stale := *d
	stale.stale = true
	return &stale
}

// fromReplica tries to have fn answered by the replica; false leaves it to the
// primary. Half of the time is the primary's: a frozen replica must not use it
// all up.
func (d *DB) fromReplica(ctx context.Context, fn func(ctx context.Context, q Querier) error) (answered bool, err error) {
	n := d.node()
	r := n.replica
	if r == nil {
		return false, nil
	}
	defer func() {
		if answered {
			r.reads.Add(1)
		} else {
			r.fallbacks.Add(1)
		}
	}()
	if r.unfit(d.regions()...) != nil {
		return false, nil
	}
	attempt, cancel := context.WithTimeout(ctx, d.set.opts.Timeout/2)
	defer cancel()
	start := time.Now()
	err = fn(attempt, r.pool)
	trouble := diagnose(err, time.Since(start))
	// Whatever PostgreSQL refuses here, the primary is asked: a query cancelled
	// because replay needs the rows, a table that is not there yet.
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) || trouble != ours {
		if trouble == down || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			r.suspend(err)
		}
		return false, nil
	}
	// The primary's word on where the regions live, as for every other read.
	if d.stillHome(ctx, n) != nil {
		return false, nil
	}
	return true, err
}

// regions are those that a handle is for.
func (d *DB) regions() []Region {
	if d.region != "" {
		return []Region{d.region}
	}
	return d.holds
}
