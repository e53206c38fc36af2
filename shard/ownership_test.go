package shard_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/shard"
)

// urls are three fresh databases with the service notes, as fleets with various
// configurations find them.
func migratedConfig(t *testing.T) shard.Config {
	t.Helper()
	config := defaultConfig(testenv.Postgres(t), testenv.Postgres(t), testenv.Postgres(t))
	set := openSet(t, config, shard.Options{Timeout: 20 * time.Second})
	require.NoError(t, shard.Migrate(context.Background(), set, "notes", notes))
	return config
}

func sql(t *testing.T, set *shard.Set, id, sql string, args ...any) {
	t.Helper()
	_, err := set.ByShard(id).Pool().Exec(context.Background(), sql, args...)
	require.NoError(t, err)
}

func TestEditingTheConfigurationMovesNothing(t *testing.T) {
	t.Parallel()
	config := migratedConfig(t)
	config.Shards[2].Regions = []string{"us-south"}
	config.Shards[0].Regions = []string{"us-west", "ca", "mx"}
	set := openSet(t, config, shard.Options{Timeout: 20 * time.Second})
	require.NoError(t, shard.Migrate(context.Background(), set, "notes", notes))
	home, _ := set.Router().ShardOf("mx")
	require.Equal(t, "c", home, "the data is there, so the region is")
	id := set.Router().NewID("mx")
	require.NoError(t, insertNote(context.Background(), set, id, "x"))
	var n int
	require.NoError(t, set.ByShard("c").Pool().QueryRow(context.Background(), `select count(*) from notes.notes where id = $1`, id).Scan(&n))
	require.Equal(t, 1, n)
}

func TestANewRegionIsClaimedByTheShardThatHasIt(t *testing.T) {
	t.Parallel()
	config := migratedConfig(t)
	config.Shards = append(config.Shards, shard.ShardConfig{ID: "d", URL: testenv.Postgres(t), Regions: []string{"alaska"}})
	set := openSet(t, config, shard.Options{Timeout: 20 * time.Second})
	require.NoError(t, shard.Migrate(context.Background(), set, "notes", notes))
	require.NoError(t, insertNote(context.Background(), set, set.Router().NewID("alaska"), "x"))
	require.NoError(t, insertNote(context.Background(), set, set.Router().NewID("mx"), "x"))
}

func TestAShardRefusesWritersOfRegionsItDoesNotOwn(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{Timeout: 3 * time.Second})
	write := func(db *shard.DB, region shard.Region) error {
		return db.InRegionTx(context.Background(), region, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `insert into notes.notes values ($1, 'x')`, set.Router().NewID(region))
			return err
		})
	}
	require.NoError(t, write(set.ByShard("c"), "mx"))
	start := time.Now()
	require.ErrorIs(t, write(set.ByShard("a"), "mx"), shard.ErrUnavailable)
	require.Less(t, time.Since(start), 3*time.Second, "it is known to be elsewhere, so nothing is waited for")
	require.ErrorIs(t, write(set.ByShard("a"), "atlantis"), shard.ErrUnavailable)
	var n int
	require.NoError(t, set.ByShard("a").Pool().QueryRow(context.Background(), `select count(*) from notes.notes`).Scan(&n))
	require.Zero(t, n)
}

func TestWritersWaitForTheEndOfAFreeze(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{})
	sql(t, set, "c", `update shard.ownership set peer = 'a' where region = 'mx'`)
	sql(t, set, "c", `select shard.freeze('mx', 'a', '700ms')`)
	start := time.Now()
	require.NoError(t, insertNote(context.Background(), set, set.Router().NewID("mx"), "x"), "nobody thawed it: it ended by itself")
	require.GreaterOrEqual(t, time.Since(start), 500*time.Millisecond)
	require.NoError(t, insertNote(context.Background(), set, set.Router().NewID("us-south"), "x"), "other regions of the shard never waited")
}

func TestAFreezeLongerThanTheCallersTimeIsUnavailability(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{Timeout: time.Second})
	id := set.Router().NewID("mx")
	require.Eventually(t, func() bool { return insertNote(context.Background(), set, id, "x") == nil }, soon, often)
	sql(t, set, "c", `update shard.ownership set peer = 'a' where region = 'mx'`)
	sql(t, set, "c", `select shard.freeze('mx', 'a', '1 hour')`)
	err := insertNote(context.Background(), set, set.Router().NewID("mx"), "x")
	require.ErrorIs(t, err, shard.ErrUnavailable)
	require.False(t, shard.CommitUnknown(err))
	require.Eventually(t, func() bool {
		text, err := readNote(context.Background(), set, id)
		return err == nil && text == "x"
	}, soon, often, "reading goes on")
	sql(t, set, "c", `select shard.thaw('mx')`)
	require.Eventually(t, func() bool {
		return insertNote(context.Background(), set, set.Router().NewID("mx"), "x") == nil
	}, soon, often)
}

// TestWhoeverSeesALetGoRegionFinishesItsMove: the mover died between the two
// shards.
func TestWhoeverSeesALetGoRegionFinishesItsMove(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{})
	code := int(set.Router().Code("mx"))
	sql(t, set, "a", `select shard.expect('mx', $1, 2, 'c')`, code)
	sql(t, set, "c", `select shard.announce('mx', 'a')`)
	sql(t, set, "c", `select shard.freeze('mx', 'a', '1 hour')`)
	sql(t, set, "c", `select shard.hand_over('mx', $1, 'a')`, code)
	id := set.Router().NewID("mx")
	require.NoError(t, insertNote(context.Background(), set, id, "x"))
	home, _ := set.Router().ShardOf("mx")
	require.Equal(t, "a", home)
	db, err := set.ByID(id)
	require.NoError(t, err)
	require.Equal(t, "a", db.ID())
}

func TestALateHandOverTakesNoEffect(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := openNotes(t, shard.Options{})
	code := int(set.Router().Code("mx"))
	sql(t, set, "c", `select shard.announce('mx', 'a')`)
	sql(t, set, "c", `select shard.freeze('mx', 'a', '1 millisecond')`)
	require.Eventually(t, func() bool { return insertNote(ctx, set, set.Router().NewID("mx"), "x") == nil }, soon, often)
	var gone bool
	require.NoError(t, set.ByShard("c").Pool().QueryRow(ctx, `select shard.hand_over('mx', $1, 'a')`, code).Scan(&gone))
	require.False(t, gone, "a writer was let in, so the region cannot go")
}

// TestAHandOverWaitsForAWriterThatWasLetIn: the writer holds the region until
// its commit, and by then the freeze has run out.
func TestAHandOverWaitsForAWriterThatWasLetIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := openNotes(t, shard.Options{})
	code := int(set.Router().Code("mx"))
	sql(t, set, "c", `select shard.announce('mx', 'a')`)
	sql(t, set, "c", `select shard.freeze('mx', 'a', '200 milliseconds')`)
	id := set.Router().NewID("mx")
	db, err := set.ByID(id)
	require.NoError(t, err)
	inside, gone := make(chan struct{}), make(chan bool, 1)
	var group sync.WaitGroup
	group.Go(func() {
		<-inside
		var yes bool
		conn, err := set.ByShard("c").Connect(ctx)
		require.NoError(t, err)
		require.NoError(t, conn.QueryRow(ctx, `select shard.hand_over('mx', $1, 'a')`, code).Scan(&yes))
		require.NoError(t, conn.Close(ctx))
		gone <- yes
	})
	require.NoError(t, db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		close(inside)
		_, err := tx.Exec(ctx, `insert into notes.notes select $1, 'x' from pg_sleep(0.3)`, id)
		select {
		case <-gone:
			return errors.New("the region went while it was written")
		default:
			return err
		}
	}))
	group.Wait()
	require.False(t, <-gone)
	_, err = readNote(ctx, set, id)
	require.NoError(t, err)
}

func TestReadersNoticeThatARegionIsGone(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := openNotes(t, shard.Options{})
	id := set.Router().NewID("mx")
	require.NoError(t, insertNote(ctx, set, id, "old"))
	code := int(set.Router().Code("mx"))
	sql(t, set, "a", `select shard.expect('mx', $1, 2, 'c')`, code)
	sql(t, set, "c", `select shard.announce('mx', 'a')`)
	// From here on the view says that the region may leave, and every read
	// asks.
	require.Eventually(t, func() bool { set.Refresh(ctx); return true }, soon, often)
	sql(t, set, "a", `insert into notes.notes values ($1, 'new')`, id)
	sql(t, set, "c", `select shard.freeze('mx', 'a', '1 hour')`)
	sql(t, set, "c", `select shard.hand_over('mx', $1, 'a')`, code)
	text, err := readNote(ctx, set, id)
	require.NoError(t, err)
	require.Equal(t, "new", text, "the old shard still has a row, and it must not be believed")

	home, _ := set.Router().ShardOf("mx")
	require.Equal(t, "a", home)
	err = set.ByShard("c").Holding("us-south", "mx").Do(ctx, func(context.Context, shard.Querier) error { return nil })
	require.ErrorIs(t, err, shard.ErrUnavailable, "a list over regions of which one is gone")
	require.NoError(t, set.ByShard("c").Holding("us-south").Do(ctx, func(context.Context, shard.Querier) error { return nil }))
	require.NoError(t, set.ByShard("a").Holding("us-west", "mx").Do(ctx, func(context.Context, shard.Querier) error { return nil }))
}
