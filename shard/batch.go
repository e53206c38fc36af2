package shard

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Work is a transaction whose statements are known before the first is run.
//
// Whatever must prevent its commit has to be an error of a statement, such as a
// constraint: when a result is looked at, the transaction is over.
type Work struct {
	// LockTimeout is how long a statement waits for a lock; 0: as long as the
	// pool lets it.
	LockTimeout time.Duration
	// Fill queues the statements. It may be called more than once, by another
	// goroutine.
	Fill func(b *pgx.Batch) error
}

// InBatch runs a transaction in a single round trip: what PostgreSQL is sent up
// to one Sync is one transaction, which the Sync commits. It costs a third of
// what InTx does. Retries and errors are those of InTx.
func (d *DB) InBatch(ctx context.Context, w Work) error {
	return d.attempts(ctx, d.region, func(ctx context.Context, n *node) error {
		b := &pgx.Batch{}
		if d.region != "" {
			b.Queue("select shard.enter($1)", d.set.router.Code(d.region))
		}
		if w.LockTimeout > 0 {
			b.Queue("select set_config('lock_timeout', $1, true)", strconv.FormatInt(max(1, w.LockTimeout.Milliseconds()), 10))
		}
		if err := w.Fill(b); err != nil {
			return err
		}
		conn, err := n.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		err = conn.SendBatch(ctx, b).Close()
		if diagnose(err, 0) == ours && !errors.Is(err, context.Canceled) {
			return err // also what a Fill made of a result, which is no failure of the commit
		}
		return outcome(n, err)
	})
}
