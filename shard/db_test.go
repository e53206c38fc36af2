package shard_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"tiffin/shard"
)

func TestEveryRegionReadsAndWritesOnItsShard(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := openNotes(t, shard.Options{})
	for _, region := range set.Router().Regions() {
		id := set.Router().NewID(region)
		require.NoError(t, insertNote(ctx, set, id, string(region)))
		text, err := readNote(ctx, set, id)
		require.NoError(t, err)
		require.Equal(t, string(region), text)

		home, known := set.Router().ShardOf(region)
		require.True(t, known)
		for _, db := range set.All() {
			var here bool
			require.NoError(t, db.Pool().QueryRow(ctx, `select exists (select from notes.notes where id = $1)`, id).Scan(&here))
			require.Equal(t, db.ID() == home, here, "region %s on shard %s", region, db.ID())
		}
	}
}

func TestTransactionsRollBackOnError(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := openNotes(t, shard.Options{})
	id := set.Router().NewID("mx")
	db, err := set.ByID(id)
	require.NoError(t, err)

	refused := errors.New("no")
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into notes.notes values ($1, 'x')`, id)
		require.NoError(t, err)
		return refused
	})
	require.Equal(t, refused, err, "errors of the caller come back untouched")
	_, err = readNote(ctx, set, id)
	require.ErrorIs(t, err, pgx.ErrNoRows)
	require.NotErrorIs(t, err, shard.ErrUnavailable)
}

func TestSerializationFailuresRunAgain(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{})
	db := set.ByShard("a")
	for _, code := range []string{"40001", "40P01"} {
		runs := 0
		require.NoError(t, db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
			if runs++; runs < 3 {
				return &pgconn.PgError{Code: code}
			}
			return nil
		}))
		require.Equal(t, 3, runs)

		runs = 0
		err := db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
			runs++
			return &pgconn.PgError{Code: code}
		})
		require.ErrorIs(t, err, shard.ErrUnavailable, "a transaction that never wins is told to come back")
		require.Equal(t, 5, runs)
	}
}

func TestDeadlinesAndLocksAreUnavailability(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{Timeout: 300 * time.Millisecond})
	ctx := context.Background()
	id := set.Router().NewID("ca")
	require.Eventually(t, func() bool { return insertNote(ctx, set, id, "x") == nil }, soon, often)
	db, err := set.ByID(id)
	require.NoError(t, err)

	holder, err := db.Pool().Begin(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, holder.Rollback(ctx)) }()
	_, err = holder.Exec(ctx, `select from notes.notes where id = $1 for update`, id)
	require.NoError(t, err)

	start := time.Now()
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update notes.notes set text = 'y' where id = $1`, id)
		return err
	})
	require.ErrorIs(t, err, shard.ErrUnavailable)
	require.Less(t, time.Since(start), 5*time.Second)
	var who interface{ Unavailable() bool }
	require.ErrorAs(t, err, &who)
	require.True(t, who.Unavailable())
	require.Eventually(t, func() bool { return set.Health(ctx)["postgres.a"] == nil }, soon, often, "a lock says nothing against the shard")
}

func TestTheCallersOwnDeadlineIsNotTheShardsFault(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{})
	for range 10 {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		err := set.ByShard("b").Do(ctx, func(ctx context.Context, q shard.Querier) error {
			_, err := q.Exec(ctx, `select pg_sleep(5)`)
			return err
		})
		cancel()
		require.ErrorIs(t, err, shard.ErrUnavailable)
	}
	require.NoError(t, set.ByShard("b").Do(context.Background(), func(ctx context.Context, q shard.Querier) error { return nil }),
		"the breaker has stayed closed")
}

// BenchmarkInTx compares an empty transaction of a shard with one of a region:
// the difference is what owning costs.
func BenchmarkInTx(b *testing.B) {
	set := openNotes(b, shard.Options{})
	region, err := set.ByRegion("mx")
	require.NoError(b, err)
	for name, db := range map[string]*shard.DB{"shard": set.ByShard("c"), "region": region} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := db.InTx(context.Background(), func(context.Context, pgx.Tx) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/parallel", func(b *testing.B) {
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := db.InTx(context.Background(), func(context.Context, pgx.Tx) error { return nil }); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
