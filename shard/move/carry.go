package move

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tiffin/shard"
)

// changesTable is the target's copy of the round's log entries.
const changesTable = "pg_temp.changes"

// carry brings the target to a snapshot of the source: what gives the rows that
// leave the target and come to it, in one transaction there. Then check may
// look at both sides, while the snapshot is open and nobody else writes to the
// target. Last, the log entries of that snapshot are deleted; when that is not
// reached, the next round does them again.
func (m *mover) carry(
	ctx context.Context,
	what func(ctx context.Context, target pgx.Tx) error,
	check func(ctx context.Context, source, target pgx.Tx) error,
) error {
	return pgx.BeginTxFunc(ctx, m.source, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(source pgx.Tx) error {
		// The snapshot is taken by the first statement, which this is.
		if _, err := source.Exec(ctx, `select from shard.ownership`); err != nil {
			return err
		}
		err := pgx.BeginFunc(ctx, m.target, func(target pgx.Tx) error {
			if _, err := target.Exec(ctx, `set local session_replication_role = replica`); err != nil {
				return err
			}
			if err := what(ctx, target); err != nil {
				return err
			}
			if check == nil {
				return nil
			}
			return check(ctx, source, target)
		})
		if err != nil {
			return err
		}
		if err := m.step("carried"); err != nil {
			return err
		}
		_, err = source.Exec(ctx, `delete from shard.move_log where region = $1`, m.Region)
		return err
	})
}

// everything replaces all rows of the region on the target.
func (m *mover) everything(ctx context.Context, target pgx.Tx) error {
	for _, t := range m.tables {
		if _, err := target.Exec(ctx, fmt.Sprintf(`delete from %s where region = $1`, t.sql()), m.Region); err != nil {
			return err
		}
	}
	for _, t := range m.tables {
		rows := fmt.Sprintf(`select %s from %s r where r.region = %s`,
			list("r", t.Columns), t.sql(), literal(string(m.Region)))
		if err := m.pipe(ctx, rows, t.sql(), t.Columns); err != nil {
			return fmt.Errorf("copy %s: %w", t, err)
		}
	}
	return nil
}

// changes replaces the rows that changed. All of them leave before any comes,
// so that two rows that have swapped something unique do not meet halfway.
func (m *mover) changes(ctx context.Context, target pgx.Tx) error {
	_, err := target.Exec(ctx, `create temp table if not exists changes (tbl text not null, key jsonb not null)
		on commit delete rows`)
	if err != nil {
		return err
	}
	log := fmt.Sprintf(`select distinct tbl, key from shard.move_log where region = %s`, literal(string(m.Region)))
	if err := m.pipe(ctx, log, changesTable, []string{"tbl", "key"}); err != nil {
		return fmt.Errorf("copy the log: %w", err)
	}
	for _, t := range m.tables {
		if _, err := target.Exec(ctx, fmt.Sprintf(`delete from %s r using %s c where (%s) = (%s)`,
			t.sql(), t.changed(changesTable), list("r", t.Key), list("c", t.Key))); err != nil {
			return fmt.Errorf("delete from %s: %w", t, err)
		}
	}
	for _, t := range m.tables {
		rows := fmt.Sprintf(`select %s from %s r join %s c on (%s) = (%s) where r.region = %s`, list("r", t.Columns), t.sql(),
			t.changed(m.log()), list("r", t.Key), list("c", t.Key), literal(string(m.Region)))
		if err := m.pipe(ctx, rows, t.sql(), t.Columns); err != nil {
			return fmt.Errorf("copy %s: %w", t, err)
		}
	}
	return nil
}

// log is the source's log of this region, as a row source.
func (m *mover) log() string { return logOf(m.Region) }

func logOf(region shard.Region) string {
	return fmt.Sprintf(`(select tbl, key from shard.move_log where region = %s)`, literal(string(region)))
}

// pipe streams the result of a query on the source into a table of the target,
// in PostgreSQL's binary form: whatever a column holds arrives as it was.
func (m *mover) pipe(ctx context.Context, query, table string, columns []string) error {
	reader, writer := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		_, err := m.source.PgConn().CopyTo(ctx, writer, fmt.Sprintf(`copy (%s) to stdout (format binary)`, query))
		// A nil error ends the stream as a whole one; the pipe's own methods
		// return nothing worth knowing.
		_ = writer.CloseWithError(err)
		sent <- err
	}()
	_, err := m.target.PgConn().CopyFrom(ctx, reader,
		fmt.Sprintf(`copy %s (%s) from stdin (format binary)`, table, bare(columns)))
	// Should the target have stopped listening, the source must not wait for
	// it.
	_ = reader.CloseWithError(errors.New("the target stopped"))
	return errors.Join(<-sent, err)
}

func lockTimeout(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == pgerrcode.LockNotAvailable
}

// count gives the number of log entries that wait.
func count(ctx context.Context, source pgx.Tx, region shard.Region) (n int64, err error) {
	err = source.QueryRow(ctx, `select count(*) from shard.move_log where region = $1`, region).Scan(&n)
	return n, err
}
