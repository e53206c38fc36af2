package testenv

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"tiffin/local/testenv/holder"
)

// Postgres returns the URL of a fresh, empty database on a real PostgreSQL 15
// cluster. It is dropped when the test ends, whoever is still connected.
func Postgres(t testing.TB) string {
	t.Helper()
	admin := join(t, holder.Postgres)[holder.URL]
	name := freshName()
	if err := onPostgres(t.Context(), admin, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatalf("testenv: create database: %v", err)
	}
	cleanup(t, "drop database", func(ctx context.Context) error {
		return onPostgres(ctx, admin, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return withPath(t, admin, name)
}

// ShardURLs returns the URLs of three fresh databases by shard letter: "a",
// "b" and "c".
func ShardURLs(t testing.TB) map[string]string {
	t.Helper()
	urls := make(map[string]string, 3)
	for _, id := range []string{"a", "b", "c"} {
		urls[id] = Postgres(t)
	}
	return urls
}

func onPostgres(ctx context.Context, admin, sql string) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}
