package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// maxAttempts bounds how often one transaction runs when it loses against
	// others.
	maxAttempts = 5
	// retryDelay grows with each attempt and is jittered, so that two losers do
	// not meet again.
	retryDelay = 5 * time.Millisecond
	// rollbackTimeout bounds the clean-up of a transaction whose own deadline
	// has passed.
	rollbackTimeout = 500 * time.Millisecond
)

// Querier is what a pool, a connection and a transaction have in common.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// DB is a light handle on a database, cheap to make and safe for concurrent
// use. From ByID and ByRegion it is bound to a region: it follows the region to
// whichever shard owns it, and its transactions are refused by a shard that
// does not. From ByShard and All it is bound to a shard.
type DB struct {
	set    *Set
	fixed  *node
	region Region
	holds  []Region // checked after reading, beside region
	stale  bool     // a replica may answer, see Stale
}

// ID is the shard's id, such as "a"; for a handle bound to a region, of the
// shard it lives on now.
func (d *DB) ID() string { return d.node().id }

// Region is the region the handle is bound to, empty for a handle bound to a
// shard.
func (d *DB) Region() Region { return d.region }

// Holding gives a handle on the same shard for reading several regions at once,
// as a list over all of them does. Do on it fails with *UnavailableError when
// one of them has moved away meanwhile; grouped anew, they will be found.
func (d *DB) Holding(regions ...Region) *DB {
	return &DB{set: d.set, fixed: d.node(), holds: regions}
}

// Pool is the raw pool of the shard, without breaker, deadline and error
// mapping. Prefer Do and InTx.
func (d *DB) Pool() *pgxpool.Pool { return d.node().pool }

func (d *DB) node() *node {
	if d.fixed != nil {
		return d.fixed
	}
	return d.set.nodes[d.set.router.home(d.region)]
}

// InTx runs fn in a read committed transaction and commits. A serialization
// failure or deadlock runs fn again, a bounded number of times: fn must not
// have effects outside the transaction. Connection trouble and timeouts come
// back as *UnavailableError, everything else as fn returned it.
func (d *DB) InTx(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return d.inTx(ctx, d.region, fn)
}

// InRegionTx is InTx for a handle bound to a shard that is about to write rows
// of one region, as sweeps over all shards do: the shard refuses the
// transaction when it does not own the region (any more).
func (d *DB) InRegionTx(ctx context.Context, region Region, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return d.inTx(ctx, region, fn)
}

func (d *DB) inTx(ctx context.Context, region Region, fn func(ctx context.Context, tx pgx.Tx) error) error {
	begin := beginning(d.set.router, region)
	return d.attempts(ctx, region, func(ctx context.Context, n *node) error { return transact(ctx, n, begin, fn) })
}

// attempts calls once with the shard that owns the region, and again as long as
// that is worth it.
func (d *DB) attempts(ctx context.Context, region Region, once func(ctx context.Context, n *node) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.set.opts.Timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		node := d.node()
		err := node.call(ctx, func(ctx context.Context) error { return once(ctx, node) })
		switch diagnose(err, 0) {
		case retry:
			if attempt == maxAttempts {
				return &UnavailableError{Shard: node.id, Err: err}
			}
		case elsewhere:
			// Refused before fn ran, so it costs nothing to ask again until the
			// move is over or time is up.
			d.set.Refresh(ctx)
			if d.fixed != nil && d.set.router.home(region) != node.id {
				return &UnavailableError{Shard: node.id, Err: err}
			}
		default:
			return err
		}
		if pause(ctx, attempt) != nil {
			return &UnavailableError{Shard: node.id, Err: err}
		}
	}
}

// beginning is the statement that begins a transaction and, in the same round
// trip, has the shard check that it owns the region. The code is a number, so
// there is nothing in it to escape.
func beginning(router *Router, region Region) string {
	if region == "" {
		return "begin isolation level read committed"
	}
	return fmt.Sprintf("begin isolation level read committed; select shard.enter(%d)", router.Code(region))
}

// transact is one attempt.
func transact(ctx context.Context, n *node, begin string, fn func(ctx context.Context, tx pgx.Tx) error) (err error) {
	conn, err := n.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin})
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		// With a context of its own: after a deadline the connection is well
		// and only wants the rollback. A rollback that fails closes the
		// connection, which is just as good.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = tx.Rollback(ctx)
	}()
	if err := fn(ctx, tx); err != nil {
		return err
	}
	return commit(ctx, n, tx)
}

// commit commits.
func commit(ctx context.Context, n *node, tx pgx.Tx) error {
	err := tx.Commit(ctx)
	if errors.Is(err, pgx.ErrTxClosed) || errors.Is(err, pgx.ErrTxCommitRollback) {
		return err
	}
	return outcome(n, err)
}

// outcome tells a commit whose end is known (the server refused) from one that
// was not answered.
func outcome(n *node, err error) error {
	var pgErr *pgconn.PgError
	var connectErr *pgconn.ConnectError
	if err == nil || errors.As(err, &connectErr) || errors.As(err, &pgErr) && diagnoseCode(pgErr.Code) != down {
		return err
	}
	return &UnavailableError{Shard: n.id, CommitUnknown: true, Err: err, down: true}
}

// pause waits before the next attempt. It fails when ctx ends first.
func pause(ctx context.Context, attempt int) error {
	delay := retryDelay * time.Duration(min(attempt, 8))
	timer := time.NewTimer(delay/2 + rand.N(delay))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Do runs queries outside a transaction, with the deadline, breaker and error
// mapping of InTx. It is for reads: writes of a region go through InTx, which
// makes sure that the shard still owns it.
//
// fn may run more than once, when its region moves meanwhile or a replica fails
// in the middle, and must therefore begin its results afresh.
func (d *DB) Do(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.set.opts.Timeout)
	defer cancel()
	if d.stale {
		if answered, err := d.fromReplica(ctx, fn); answered {
			return err
		}
	}
	for attempt := 1; ; attempt++ {
		node := d.node()
		err := node.call(ctx, func(ctx context.Context) error {
			start := time.Now()
			err := fn(ctx, node.pool)
			// "Not found" is an answer too, and as wrong as any other on a
			// shard that has just lost the region.
			if trouble := diagnose(err, time.Since(start)); trouble == busy || trouble == down {
				return err
			}
			return cmp.Or(d.stillHome(ctx, node), err)
		})
		if diagnose(err, 0) != elsewhere {
			return err
		}
		d.set.Refresh(ctx)
		if d.fixed != nil || pause(ctx, attempt) != nil {
			return &UnavailableError{Shard: node.id, Err: err}
		}
	}
}

// stillHome makes sure that the shard had the handle's regions while it was
// read.
func (d *DB) stillHome(ctx context.Context, n *node) error {
	if d.region != "" {
		return d.set.stillHome(ctx, n, d.region)
	}
	for _, region := range d.holds {
		if err := d.set.stillHome(ctx, n, region); err != nil {
			return err
		}
	}
	return nil
}

// Connect opens a connection of its own, outside the pool and without statement
// timeout, for what holds a session for long: an advisory lock, LISTEN. The
// caller closes it.
func (d *DB) Connect(ctx context.Context) (*pgx.Conn, error) {
	config := d.Pool().Config().ConnConfig
	for _, limit := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
		delete(config.RuntimeParams, limit)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, &UnavailableError{Shard: d.ID(), Err: err, down: true}
	}
	return conn, nil
}
