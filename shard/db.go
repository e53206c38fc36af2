package shard

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Querier is what a pool, a connection and a transaction have in common.
type Querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// DB is a light handle on a database, cheap to make and safe for concurrent use. From ByID and ByRegion it is
// bound to a region: it follows the region to whichever shard owns it, and its transactions are refused by a
// shard that does not. From ByShard and All it is bound to a shard.
type DB struct {
	set    *Set
	fixed  *node
	region Region
}

// ID is the shard's id, such as "a"; for a handle bound to a region, of the shard it lives on now.
func (d *DB) ID() string { return d.node().id }

// Region is the region the handle is bound to, empty for a handle bound to a shard.
func (d *DB) Region() Region { return d.region }

// Pool is the raw pool of the shard, without breaker, deadline and error mapping. Prefer Do and InTx.
func (d *DB) Pool() *pgxpool.Pool { return d.node().pool }

// InTx runs fn in a read committed transaction and commits. A serialization failure or deadlock runs fn again,
// a bounded number of times: fn must not have effects outside the transaction. Connection trouble and timeouts
// come back as *UnavailableError, everything else as fn returned it.
func (d *DB) InTx(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, d.Pool(), func(tx pgx.Tx) error { return fn(ctx, tx) })
}

// InRegionTx is InTx for a handle bound to a shard that is about to write rows of one region, as sweeps over
// all shards do: the shard refuses the transaction when it does not own the region (any more).
func (d *DB) InRegionTx(ctx context.Context, region Region, fn func(ctx context.Context, tx pgx.Tx) error) error {
	return d.InTx(ctx, fn)
}

// Do runs queries outside a transaction, with the deadline, breaker and error mapping of InTx. It is for
// reads: writes of a region go through InTx, which makes sure that the shard still owns it.
func (d *DB) Do(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	return fn(ctx, d.Pool())
}

func (d *DB) node() *node {
	if d.fixed != nil {
		return d.fixed
	}
	return d.set.nodes[d.set.router.home(d.region)]
}
