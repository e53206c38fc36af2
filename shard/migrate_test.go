package shard_test

import (
	"context"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/shard"
)

func TestAnyNumberOfProcessesMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	config := defaultConfig(testenv.Postgres(t), testenv.Postgres(t), testenv.Postgres(t))
	var group sync.WaitGroup
	for range 4 {
		set := openSet(t, config, shard.Options{})
		for _, service := range []string{"notes", "others"} {
			group.Go(func() {
				migrations := fstest.MapFS{"migrations/00001_x.sql": {Data: []byte("-- +goose Up\ncreate table " + service + ".x (id int);\n")}}
				require.NoError(t, shard.Migrate(context.Background(), set, service, migrations))
			})
		}
	}
	group.Wait()
	set := openSet(t, config, shard.Options{})
	for _, db := range set.All() {
		var tables int
		require.NoError(t, db.Pool().QueryRow(context.Background(),
			`select count(*) from pg_tables where (schemaname, tablename) in (('notes', 'x'), ('others', 'x'), ('shard', 'ownership'))`).Scan(&tables))
		require.Equal(t, 3, tables)
	}
}

func TestAWrongMigrationIsAnError(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := openSet(t, defaultConfig(testenv.Postgres(t), testenv.Postgres(t), testenv.Postgres(t)), shard.Options{})
	wrong := fstest.MapFS{"00001_wrong.sql": {Data: []byte("-- +goose Up\ncreate tabel x;\n")}}
	require.ErrorContains(t, shard.Migrate(ctx, set, "notes", wrong), "notes")
	require.ErrorContains(t, shard.Migrate(ctx, set, `x"; drop schema shard`, notes), "schema")
}

func TestURLsThatCannotBeUsedNameTheirVariable(t *testing.T) {
	t.Parallel()
	config := defaultConfig(nowhere, nowhere, "mysql://root:secret@host/db")
	router, err := shard.NewRouter(config)
	require.NoError(t, err)
	_, err = shard.Open(context.Background(), router, config, shard.Options{})
	require.ErrorContains(t, err, "POSTGRES_SHARD_C_URL")
	require.NotContains(t, err.Error(), "secret")

	config = defaultConfig(nowhere, "", nowhere)
	router, err = shard.NewRouter(config)
	require.NoError(t, err, "routing needs no database: the edge and the bridge have none")
	_, err = shard.Open(context.Background(), router, config, shard.Options{})
	require.ErrorContains(t, err, "POSTGRES_SHARD_B_URL: missing, but SHARD_B_REGIONS is set")
}
