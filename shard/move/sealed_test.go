package move_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/shard"
	"tiffin/shard/rotate"
	"tiffin/shard/sealed"
)

// people is a service with a sealed column, which is bound to its row.
var people = fstest.MapFS{"00001_people.sql": {Data: []byte(`
-- +goose Up
create table people.people (id uuid primary key, region text not null, phone text not null);
-- +goose Down
drop table people.people;
`)}}

var phoneColumn = rotate.Column{Table: "people.people", Name: "phone"}

// TestSealedRowsMoveAsTheyAre: keys belong to the fleet and not to a shard, so
// what was sealed on one opens on another, by old keys too, and can be rotated
// there.
func TestSealedRowsMoveAsTheyAre(t *testing.T) {
	t.Parallel()
	f := newField(t)
	require.NoError(t, shard.Migrate(t.Context(), f.set, "people", people))
	old, current := sealed.Generate("old"), sealed.Generate("new")
	phones := map[string]string{}
	for i, keys := range []string{"", old, current + "," + old} { // from before there were keys, and of two keys
		k, err := sealed.Parse(keys)
		require.NoError(t, err)
		id := f.set.Router().NewID("mx")
		phones[id] = "+1415555010" + string(rune('0'+i))
		write(t, f.set, id, k.Seal(phones[id], phoneColumn.String(), id))
	}
	stored := readAll(t, f.set)

	_, err := f.move("mx", "a", nil)
	require.NoError(t, err)
	require.Equal(t, stored, readAll(t, f.set), "byte by byte, as it was")
	keys, err := sealed.Parse(current + "," + old)
	require.NoError(t, err)
	requireOpen(t, keys, readAll(t, f.set), phones)

	config := f.config
	router, err := shard.NewRouter(config)
	require.NoError(t, err)
	set, err := shard.Open(t.Context(), router, config, shard.Options{Keys: keys})
	require.NoError(t, err)
	t.Cleanup(set.Close)
	require.NoError(t, rotate.Run(t.Context(), set, []rotate.Column{phoneColumn}, func(rotate.Progress) {}))
	onlyNew, err := sealed.Parse(current)
	require.NoError(t, err)
	requireOpen(t, onlyNew, readAll(t, f.set), phones)
	text, err := testenv.Dump(t.Context(), f.set.ByShard("a").Pool())
	require.NoError(t, err)
	require.NotContains(t, text, "+1415555")
	require.Equal(t, 3, strings.Count(text, strings.TrimPrefix(keys.Prefix(), "\x01")))

	_, err = f.move("mx", "c", nil)
	require.NoError(t, err)
	requireOpen(t, onlyNew, readAll(t, f.set), phones)
}

func write(t *testing.T, set *shard.Set, id, phone string) {
	t.Helper()
	db, err := set.ByID(id)
	require.NoError(t, err)
	require.NoError(t, db.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into people.people values ($1, 'mx', $2)`, id, phone)
		return err
	}))
}

// readAll gives what is stored of mx, by id, wherever it lives.
func readAll(t *testing.T, set *shard.Set) map[string]string {
	t.Helper()
	db, err := set.ByRegion("mx")
	require.NoError(t, err)
	stored := map[string]string{}
	require.NoError(t, db.Do(t.Context(), func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, `select id::text, phone from people.people where region = 'mx'`)
		if err != nil {
			return err
		}
		var id, phone string
		_, err = pgx.ForEachRow(rows, []any{&id, &phone}, func() error {
			stored[id] = phone
			return nil
		})
		return err
	}))
	return stored
}

func requireOpen(t *testing.T, keys *sealed.Keys, stored, want map[string]string) {
	t.Helper()
	require.Len(t, stored, len(want))
	for id, phone := range stored {
		plain, err := keys.Open(phone, phoneColumn.String(), id)
		require.NoError(t, err)
		require.Equal(t, want[id], plain)
	}
}
