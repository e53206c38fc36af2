package testenv

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tiffin/shard/sealed"
)

// Keys are the keys of personal data in tests, so that all of them run on
// sealed columns.
func Keys(t testing.TB) *sealed.Keys {
	t.Helper()
	return must[*sealed.Keys](t, "keys")(sealed.Parse("test:dGhpcyBpcyBhbiBleGFtcGxlLCBub3QgYSBrZXkhISE="))
}

// Dump is every row of every table of a database as text, as psql would show
// it: what somebody sees who has the database and not the keys.
func Dump(ctx context.Context, pool *pgxpool.Pool) (text string, err error) {
	rows, err := pool.Query(ctx, `select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
		where schemaname not in ('pg_catalog', 'information_schema')`)
	if err != nil {
		return "", err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, table := range tables {
		rows, qerr := pool.Query(ctx, fmt.Sprintf(`select coalesce(string_agg(t::text, E'\n'), '') from %s t`, table))
		if qerr != nil {
			return "", qerr
		}
		part, qerr := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
		if qerr != nil {
			return "", qerr
		}
		text += table + "\n" + part + "\n"
	}
	return text, err
}
