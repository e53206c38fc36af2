package shard_test

import (
	"cmp"
	"context"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/local/testenv"
	"tiffin/shard"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// soon and often are the patience and the pace of waiting for conditions.
const (
	soon  = 30 * time.Second
	often = 5 * time.Millisecond
)

// defaultConfig is the three shards of the documentation, at the given URLs.
func defaultConfig(a, b, c string) shard.Config {
	return shard.Config{Shards: []shard.ShardConfig{
		{ID: "a", URL: a, Regions: []string{"us-west", "ca"}},
		{ID: "b", URL: b, Regions: []string{"us-east", "us-central"}},
		{ID: "c", URL: c, Regions: []string{"us-south", "mx"}},
	}}
}

// nowhere is the URL of a shard that refuses connections: port 1 is never
// listened on.
const nowhere = "postgres://nobody@127.0.0.1:1/none"

func newRouter(t testing.TB) *shard.Router {
	t.Helper()
	router, err := shard.NewRouter(defaultConfig(nowhere, nowhere, nowhere))
	require.NoError(t, err)
	return router
}

func openSet(t testing.TB, config shard.Config, opts shard.Options) *shard.Set {
	t.Helper()
	router, err := shard.NewRouter(config)
	require.NoError(t, err)
	set, err := shard.Open(context.Background(), router, config, opts)
	require.NoError(t, err)
	t.Cleanup(set.Close)
	return set
}

// notes is a service with one table that belongs to regions by its id.
var notes = fstest.MapFS{"00001_notes.sql": {Data: []byte(`
-- +goose Up
create table notes.notes (id uuid primary key, text text not null);
-- +goose Down
drop table notes.notes;
`)}}

// openNotes opens three fresh shards with the service notes. Unless timing is
// what a test is about, a slow machine shall not decide it.
func openNotes(t testing.TB, opts shard.Options) *shard.Set {
	t.Helper()
	opts.Timeout = cmp.Or(opts.Timeout, 20*time.Second)
	set := openSet(t, defaultConfig(testenv.Postgres(t), testenv.Postgres(t), testenv.Postgres(t)), opts)
	require.NoError(t, shard.Migrate(context.Background(), set, "notes", notes))
	return set
}

func insertNote(ctx context.Context, set *shard.Set, id, text string) error {
	db, err := set.ByID(id)
	if err != nil {
		return err
	}
	return db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into notes.notes values ($1, $2)`, id, text)
		return err
	})
}

func readNote(ctx context.Context, set *shard.Set, id string) (text string, err error) {
	db, err := set.ByID(id)
	if err != nil {
		return "", err
	}
	return text, db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		return q.QueryRow(ctx, `select text from notes.notes where id = $1`, id).Scan(&text)
	})
}
