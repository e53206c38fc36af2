package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/services/delivery"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
	"tiffin/shard/move"
	"tiffin/shard/outbox"
)

// nowhere is a shard that refuses connections, with a password nobody may see.
const nowhere = "postgres://tiffin:geheim@127.0.0.1:1/shard?password=geheim"

func shardsAt(urls map[string]string) shard.Config {
	return shard.Config{Shards: []shard.ShardConfig{
		{ID: "a", URL: urls["a"], Regions: []string{"us-west", "ca"}},
		{ID: "b", URL: urls["b"], Regions: []string{"us-east", "us-central"}},
		{ID: "c", URL: urls["c"], Regions: []string{"us-south", "mx"}},
	}}
}

func TestShardRouteSaysWhereAndWhy(t *testing.T) {
	t.Parallel()
	router, err := shard.NewRouter(shardsAt(map[string]string{"a": nowhere, "b": nowhere, "c": nowhere}))
	require.NoError(t, err)
	id := router.NewID("ca")
	for input, want := range map[string]string{
		"san-francisco": `{"input":"san-francisco","city":"San Francisco","region":"us-west","shard":"a","via":"city"}`,
		"NYC":           `{"input":"NYC","city":"New York City","region":"us-east","shard":"b","via":"alias"}`,
		"Guadalahara":   `{"input":"Guadalahara","city":"Guadalajara","region":"mx","shard":"c","via":"typo"}`,
		id:              `{"input":"` + id + `","region":"ca","shard":"a","via":"id"}`,
	} {
		found, err := route(router, input)
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, shardRouteCommand{JSON: true}.print(&out, found))
		require.JSONEq(t, want, out.String())
		require.NoError(t, shardRouteCommand{}.print(&out, found))
	}
	for input, via := range map[string]string{"Atlantis": "hash", "ada@example.com": "email"} {
		found, err := route(router, input)
		require.NoError(t, err)
		require.Equal(t, via, found.Via)
		require.Empty(t, found.City)
	}
	_, err = route(router, "6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	require.ErrorContains(t, err, "not an id of this fleet")
}

func TestShardLsShowsWhereRegionsLiveNow(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	urls := testenv.ShardURLs(t)
	shards := shardsAt(urls)
	router, err := shard.NewRouter(shards)
	require.NoError(t, err)
	set, err := shard.Open(ctx, router, shards, shard.Options{Timeout: 10 * time.Second})
	require.NoError(t, err)
	t.Cleanup(set.Close)
	require.NoError(t, shard.Migrate(ctx, set, "outbox", outbox.Migrations))
	_, err = move.Run(ctx, move.Config{Set: set, Region: "mx", To: "a", Drained: outbox.Drained, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)

	var out bytes.Buffer
	require.NoError(t, shardLsCommand{JSON: true}.print(&out, list(ctx, set, shards)))
	var answer struct{ Shards []listed }
	require.NoError(t, json.Unmarshal(out.Bytes(), &answer))
	require.Len(t, answer.Shards, 3)
	for i, regions := range [][]shard.Region{{"ca", "mx", "us-west"}, {"us-central", "us-east"}, {"us-south"}} {
		require.Equal(t, regions, answer.Shards[i].Regions)
		require.True(t, answer.Shards[i].Healthy)
	}
}

func TestShardLsShowsNoPasswordAndWhatIsDead(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	shards := shardsAt(map[string]string{"a": testenv.Postgres(t), "b": nowhere, "c": "host=127.0.0.1 port=1 user=tiffin password=geheim dbname=c"})
	router, err := shard.NewRouter(shards)
	require.NoError(t, err)
	set, err := shard.Open(ctx, router, shards, shard.Options{})
	require.NoError(t, err)
	t.Cleanup(set.Close)
	rows := list(ctx, set, shards)
	require.True(t, rows[0].Healthy)
	require.False(t, rows[1].Healthy)
	require.Equal(t, "postgres://tiffin@127.0.0.1:1/shard", rows[1].URL)
	require.Equal(t, "postgres://tiffin@127.0.0.1:1/c", rows[2].URL)
	for _, asJSON := range []bool{true, false} {
		var out bytes.Buffer
		require.NoError(t, shardLsCommand{JSON: asJSON}.print(&out, rows))
		require.NotContains(t, out.String(), "geheim")
		require.Contains(t, out.String(), "us-south")
	}
}

// fleetShards opens three fresh shards with every table of the fleet.
func fleetShards(t *testing.T) *shard.Set {
	t.Helper()
	ctx := context.Background()
	shards := shardsAt(testenv.ShardURLs(t))
	router, err := shard.NewRouter(shards)
	require.NoError(t, err)
	set, err := shard.Open(ctx, router, shards, shard.Options{Timeout: 20 * time.Second})
	require.NoError(t, err)
	t.Cleanup(set.Close)
	require.NoError(t, shard.Migrate(ctx, set, "auth", os.DirFS("../../services/auth/server/migrations")))
	require.NoError(t, ordertx.Migrate(ctx, set))
	require.NoError(t, deliverytx.Migrate(ctx, set))
	return set
}

// TestEveryTableMovesOrBelongsToItsShard fails for a new table that forgets its
// region: its rows would stay behind.
func TestEveryTableMovesOrBelongsToItsShard(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := fleetShards(t)
	rows, err := set.ByShard("a").Pool().Query(ctx, `select schemaname || '.' || tablename from pg_tables
		where schemaname not in ('pg_catalog', 'information_schema', 'shard', 'outbox') and tablename <> 'goose_version'
			and not exists (select from information_schema.columns where table_schema = schemaname and table_name = tablename and column_name = 'region')`)
	require.NoError(t, err)
	staying, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"auth.email_claims", "auth.audit"}, staying,
		"a shard's vote and its log of acts stay with the shard; everything else has a column region")

	rider := set.Router().NewID("mx")
	db, err := set.ByID(rider)
	require.NoError(t, err)
	require.NoError(t, db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		return deliverytx.CreatePartner(ctx, tx, delivery.NewPartner{ID: rider, City: "Guadalajara", Region: "mx", Latitude: 20.67, Longitude: -103.35})
	}))
	report, err := move.Run(ctx, move.Config{Set: set, Region: "mx", To: "b", Drained: outbox.Drained})
	require.NoError(t, err, "every table can move")
	require.Equal(t, int64(1), report.Rows)
}

func TestShardRouteFindsAccounts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := fleetShards(t)
	user := set.Router().NewID("ca")
	db, err := set.ByID(user)
	require.NoError(t, err)
	require.NoError(t, db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into auth.users values
			($1, 'ca', 'Ada@example.com', 'ada@example.com', '', 'Ada', 'L', '+1', 'customer', 'Toronto', now(), now())`, user)
		return err
	}))
	found, err := routeAccount(ctx, set, " ADA@example.com")
	require.NoError(t, err)
	require.Equal(t, routed{Input: " ADA@example.com", Region: "ca", Shard: "a", Via: "email"}, found)
	found, err = routeAccount(ctx, set, "nobody@example.com")
	require.NoError(t, err)
	require.Equal(t, set.Router().RouteEmail("nobody@example.com").Shard, found.Shard)
	_, err = routeAccount(ctx, set, "@")
	require.Error(t, err)
}

func TestShardMoveSaysWhatItDid(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, shardMoveCommand{Region: "mx"}.print(&out, move.Report{From: "c", To: "a", Rows: 12, Frozen: 80 * time.Millisecond}))
	require.Contains(t, out.String(), "12 rows")
	require.Contains(t, out.String(), "SHARD_A_REGIONS")
	out.Reset()
	require.NoError(t, shardMoveCommand{Region: "mx"}.print(&out, move.Report{To: "c", Note: "the region is there already"}))
	require.Equal(t, "mx is on shard c: the region is there already\n", out.String())
}
