package move

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

// differenceError says that a table is not the same on both sides. It must
// never happen; the region stays where it is.
type differenceError struct {
	table          table
	source, target digest
}

// Error names the table and what was found.
func (e *differenceError) Error() string {
	return fmt.Sprintf("table %s differs: %d rows (%s) at the source, %d rows (%s) at the target",
		e.table, e.source.rows, e.source.sum, e.target.rows, e.target.sum)
}

// digest is the number of rows and the sum of their hashes, which does not
// depend on their order.
type digest struct {
	rows int64
	sum  string
}

const digestSQL = `select count(*), coalesce(sum(hashtextextended(row(%s)::text, 0)::numeric), 0)::text from %s`

func digestOf(ctx context.Context, tx pgx.Tx, sql string, args ...any) (d digest, err error) {
	err = tx.QueryRow(ctx, sql, args...).Scan(&d.rows, &d.sum)
	return d, err
}

// compare compares a region's rows of a table, and gives their number.
func compare(ctx context.Context, source, target pgx.Tx, t table, region shard.Region) (int64, error) {
	sql := fmt.Sprintf(digestSQL, list("r", t.Columns), t.sql()+" r where r.region = $1")
	here, err := digestOf(ctx, source, sql, region)
	if err != nil {
		return 0, err
	}
	there, err := digestOf(ctx, target, sql, region)
	if err != nil {
		return 0, err
	}
	if here != there {
		return 0, &differenceError{t, here, there}
	}
	return here.rows, nil
}

// compareChanged compares the rows that the round carried, and the number of
// all. Together with an earlier compare that is as good as comparing all, and
// takes no longer than a freeze can afford.
func compareChanged(ctx context.Context, source, target pgx.Tx, t table, region shard.Region) error {
	rows := func(changes string) string {
		return fmt.Sprintf(digestSQL, list("r", t.Columns), fmt.Sprintf("%s r join %s c on (%s) = (%s) where r.region = $1",
			t.sql(), t.changed(changes), list("r", t.Key), list("c", t.Key)))
	}
	here, err := digestOf(ctx, source, rows(logOf(region)), region)
	if err != nil {
		return err
	}
	there, err := digestOf(ctx, target, rows(changesTable), region)
	if err != nil {
		return err
	}
	if here != there {
		return &differenceError{t, here, there}
	}
	counting := fmt.Sprintf(`select count(*), '' from %s where region = $1`, t.sql())
	if here, err = digestOf(ctx, source, counting, region); err != nil {
		return err
	}
	if there, err = digestOf(ctx, target, counting, region); err != nil {
		return err
	}
	if here != there {
		return &differenceError{t, here, there}
	}
	return nil
}
