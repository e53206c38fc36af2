package move_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/shard"
	"tiffin/shard/move"
)

func TestARegionMovesThereAndBack(t *testing.T) {
	t.Parallel()
	f := newField(t)
	ids := f.fill("mx", 25)
	f.fill("us-south", 7)
	f.fill("ca", 5)
	before, other := f.dump("c", "mx"), f.process()

	report, err := f.move("mx", "a", nil)
	require.NoError(t, err)
	require.Equal(t, "c", report.From)
	require.Equal(t, "a", report.To)
	require.Equal(t, int64(50), report.Rows)
	require.Less(t, report.Frozen, 2*time.Second)
	require.Equal(t, before, f.dump("a", "mx"))
	f.requireClean("mx", "a", 25)
	f.requireClean("us-south", "c", 7)
	f.requireClean("ca", "a", 5)

	require.Eventually(t, func() bool { return other.Router().RouteCity("Guadalajara").Shard == "a" }, soon, often, "others notice by themselves")
	route, err := f.set.Router().RouteID(ids[0])
	require.NoError(t, err)
	require.Equal(t, "a", route.Shard, "ids stay as they were")
	restarted := f.process()
	require.Eventually(t, func() bool { return restarted.Router().RouteCity("Guadalajara").Shard == "a" }, soon, often,
		"the configuration says where a region began, not where it is")
	require.NoError(t, shard.Migrate(context.Background(), restarted, "pads", pads))
	f.requireClean("mx", "a", 25)

	report, err = f.move("mx", "a", nil)
	require.NoError(t, err)
	require.Equal(t, "the region is there already", report.Note)

	_, err = f.move("mx", "c", nil)
	require.NoError(t, err)
	require.Equal(t, before, f.dump("c", "mx"))
	f.requireClean("mx", "c", 25)
}

func TestAMoveCanBeCalledOffUntilItIsDecided(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.fill("mx", 10)
	for _, step := range []string{"announce", "copy", "carried", "follow", "verify", "hand over", "frozen", "let go"} {
		stop := errors.New("enough")
		_, err := f.move("mx", "b", func(c *move.Config) {
			c.Step = func(name string) error {
				if name == step {
					return stop
				}
				return nil
			}
		})
		require.ErrorIs(t, err, stop, step)
		require.Equal(t, []string{"c"}, f.owners("mx"), step)
		if step != "announce" {
			_, err = f.move("mx", "a", nil)
			require.ErrorContains(t, err, "unfinished", step)
		}
		_, err = f.move("mx", "c", nil)
		require.NoError(t, err, step)
		f.requireClean("mx", "c", 10)
	}
}

func TestADifferenceStopsTheMove(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]string{
		"missing": `delete from pads."order" where ctid = (select ctid from pads."order" where region = 'mx' limit 1)`,
		"changed": `update pads.notes set body = '{}' where ctid = (select ctid from pads.notes where region = 'mx' limit 1)`,
		"more":    `insert into pads.notes (id, region, version) values (gen_random_uuid(), 'mx', 1)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.fill("mx", 10)
			_, err := f.move("mx", "a", func(c *move.Config) {
				c.Step = func(name string) error {
					if name != "verify" {
						return nil
					}
					_, err := f.set.ByShard("a").Pool().Exec(context.Background(), tamper)
					return err
				}
			})
			require.ErrorContains(t, err, "differs")
			require.Equal(t, []string{"c"}, f.owners("mx"))
			_, err = f.move("mx", "c", nil)
			require.NoError(t, err)
			f.requireClean("mx", "c", 10)
		})
	}
}

func TestAFreezeThatRunsOutLetsWritersIn(t *testing.T) {
	t.Parallel()
	f := newField(t)
	ids := f.fill("mx", 3)
	ctx, cancel := context.WithCancel(context.Background())
	frozen := 0
	// Nobody relays, so the last events never leave, and no freeze is long
	// enough.
	_, err := move.Run(ctx, move.Config{Set: f.set, Region: "mx", To: "a", Freeze: 300 * time.Millisecond,
		Drained: func(context.Context, shard.Querier, shard.Region) (bool, error) { return false, nil },
		Step: func(name string) error {
			if name == "frozen" {
				if frozen++; frozen == 2 {
					cancel()
				}
			}
			return nil
		}})
	require.Error(t, err)
	require.Equal(t, 2, frozen, "it tries again")
	db, err := f.set.ByID(ids[0])
	require.NoError(t, err)
	require.NoError(t, db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update pads.notes set version = 2 where id = $1`, ids[0])
		return err
	}))
	_, err = f.move("mx", "a", nil)
	require.NoError(t, err)
	f.requireClean("mx", "a", 3)
}

func TestALongTransactionIsWaitedForNotCutOff(t *testing.T) {
	t.Parallel()
	f := newField(t)
	ids := f.fill("mx", 3)
	db, err := f.set.ByID(ids[0])
	require.NoError(t, err)
	inside, goOn := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		once := sync.OnceFunc(func() { close(inside) })
		require.NoError(t, db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
			once()
			<-goOn
			_, err := tx.Exec(ctx, `update pads.notes set version = 7 where id = $1`, ids[0])
			return err
		}))
	})
	<-inside
	frozen := 0
	_, err = f.move("mx", "a", func(c *move.Config) {
		c.Freeze = time.Second
		c.Step = func(name string) error {
			if name == "frozen" {
				if frozen++; frozen == 2 {
					close(goOn)
				}
			}
			return nil
		}
	})
	require.NoError(t, err)
	group.Wait()
	require.GreaterOrEqual(t, frozen, 2)
	f.requireClean("mx", "a", 3)
	var version int
	require.NoError(t, f.set.ByShard("a").Pool().QueryRow(context.Background(), `select version from pads.notes where id = $1`, ids[0]).Scan(&version))
	require.Equal(t, 7, version)
}

func TestOnlyOneRunMovesARegion(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.fill("mx", 3)
	var other error
	_, err := f.move("mx", "a", func(c *move.Config) {
		c.Step = func(name string) error {
			if name == "verify" {
				_, other = f.move("mx", "a", nil)
			}
			return nil
		}
	})
	require.NoError(t, err)
	require.ErrorIs(t, other, move.ErrBusy)
	f.requireClean("mx", "a", 3)
}

func TestWhatCannotMoveIsSaid(t *testing.T) {
	t.Parallel()
	f := newField(t)
	_, err := f.move("mx", "z", nil)
	require.ErrorContains(t, err, `no shard "z"`)
	_, err = f.move("atlantis", "a", nil)
	require.ErrorContains(t, err, `no region "atlantis"`)

	exec := func(id, sql string) {
		_, err := f.set.ByShard(id).Pool().Exec(context.Background(), sql)
		require.NoError(t, err)
	}
	for _, tc := range []struct{ create, want string }{
		{`create table pads.x (region text)`, "pads.x has no primary key"},
		{`create table pads.x (region text, n bigint generated always as identity primary key)`, "pads.x is numbered by its shard"},
		{`create table pads.x (region text, n bigserial primary key)`, "pads.x is numbered by its shard"},
		{`create table pads.x (region text primary key)`, "different tables"},
	} {
		exec("c", tc.create)
		_, err = f.move("mx", "a", nil)
		require.ErrorContains(t, err, tc.want)
		exec("c", `drop table pads.x`)
	}
	fresh := newField(t)
	_, err = fresh.set.ByShard("b").Pool().Exec(context.Background(), `drop schema shard cascade`)
	require.NoError(t, err)
	_, err = fresh.move("mx", "a", nil)
	require.ErrorContains(t, err, "all shards must answer")
}
