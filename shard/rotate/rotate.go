// Package rotate seals personal data anew with the current key, while the fleet works: after a key was added, or to seal
// what is plain text from before there was one.
//
// Invariants: a value is replaced only if it is still the one that was read, so a change meanwhile is never lost. Each
// batch is a transaction of its region, so a region that moves is followed and never written on the wrong shard. What is
// done is not found again, so an interrupted run is simply run again.
package rotate

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
	"tiffin/shard/sealed"
)

// batch is how many rows one transaction changes: short enough that nobody waits for its locks.
const batch = 200

// firstID sorts before every id.
const firstID = "00000000-0000-0000-0000-000000000000"

// ErrLeft says that values were written with another key meanwhile: a process runs that does not seal with the current
// key yet.
var ErrLeft = errors.New("values were stored with another key meanwhile; restart every process with this DATA_KEYS and run it again")

// Column is a sealed column of a table with the columns id (uuid, primary key) and region. The name that binds its values
// is Table + "." + Name.
type Column struct{ Table, Name string }

// Progress is what has been done of one column in one region.
type Progress struct {
	Column      Column
	Region      shard.Region
	Done, Total int64 // rows; Total as counted at the beginning
}

// Run seals every column in every region with the set's current key. It fails with sealed.ErrKey when a value's key is
// missing, and with ErrLeft. report is called after every batch and for what had nothing to do.
func Run(ctx context.Context, set *shard.Set, columns []Column, report func(Progress)) error {
	if set.Keys() == nil {
		return errors.New("DATA_KEYS: not set; there is no key to seal with")
	}
	for _, region := range set.Router().Regions() {
		db, err := set.ByRegion(region)
		if err != nil {
			return err
		}
		for _, column := range columns {
			if err := column.rotate(ctx, db, set.Keys(), report); err != nil {
				return fmt.Errorf("%s in %s: %w", column, region, err)
			}
		}
	}
	return nil
}

// String is the name that binds the column's values.
func (c Column) String() string { return c.Table + "." + c.Name }

// rotate works through one region in the order of ids.
func (c Column) rotate(ctx context.Context, db *shard.DB, keys *sealed.Keys, report func(Progress)) error {
	p := Progress{Column: c, Region: db.Region()}
	var err error
	if p.Total, err = c.left(ctx, db, keys); err != nil {
		return err
	}
	report(p)
	for after := firstID; ; {
		rows, err := c.next(ctx, db, keys, after)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		if err := c.seal(ctx, db, keys, rows); err != nil {
			return err
		}
		after = rows[len(rows)-1].ID
		p.Done += int64(len(rows))
		report(p)
	}
	if n, err := c.left(ctx, db, keys); err != nil || n > 0 {
		return errors.Join(err, fmt.Errorf("%d %w", n, ErrLeft))
	}
	return nil
}

// where finds the region's values ($1) that are not sealed with the current key, whose prefix is $2.
func (c Column) where() string {
	return fmt.Sprintf(` from %s where region = $1 and %s <> '' and left(%s, length($2)) <> $2`, c.Table, c.Name, c.Name)
}

// left counts what there is to do.
func (c Column) left(ctx context.Context, db *shard.DB, keys *sealed.Keys) (n int64, err error) {
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		return q.QueryRow(ctx, "select count(*)"+c.where(), db.Region(), keys.Prefix()).Scan(&n)
	})
	return n, err
}

// value is one row's.
type value struct{ ID, Stored string }

// next reads the values to do behind an id.
func (c Column) next(ctx context.Context, db *shard.DB, keys *sealed.Keys, after string) (rows []value, err error) {
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		found, err := q.Query(ctx, "select id::text, "+c.Name+c.where()+" and id > $3 order by id limit $4",
			db.Region(), keys.Prefix(), after, batch)
		if err != nil {
			return err
		}
		rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[value])
		return err
	})
	return rows, err
}

// seal replaces values that are still what was read.
func (c Column) seal(ctx context.Context, db *shard.DB, keys *sealed.Keys, rows []value) error {
	changes := &pgx.Batch{}
	for _, row := range rows {
		plain, err := keys.Open(row.Stored, c.String(), row.ID)
		if err != nil {
			return err
		}
		if !utf8.ValidString(plain) {
			return fmt.Errorf("%w: %s of %s holds no text", sealed.ErrKey, c, row.ID)
		}
		changes.Queue(fmt.Sprintf(`update %s set %s = $3 where id = $1 and %s = $2`, c.Table, c.Name, c.Name),
			row.ID, row.Stored, keys.Seal(plain, c.String(), row.ID))
	}
	return db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error { return tx.SendBatch(ctx, changes).Close() })
}
