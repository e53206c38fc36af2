package shard_test

import (
	"context"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/shard"
	"tiffin/shard/move"
)

// copied is a fleet whose shard a has a streaming replica.
type copied struct {
	t                *testing.T
	set              *shard.Set
	metrics          *prometheus.Registry
	primary, replica *testenv.Server
	db               *shard.DB // of a region on a
}

func newCopied(t *testing.T, maxLag time.Duration, change func(*shard.Config)) *copied {
	t.Helper()
	c := &copied{t: t, metrics: prometheus.NewRegistry()}
	c.primary, c.replica = testenv.OwnReplicated(t)
	config := defaultConfig(c.primary.URL, testenv.Postgres(t), testenv.Postgres(t))
	config.Shards[0].ReplicaURL = c.replica.URL
	if change != nil {
		change(&config)
	}
	c.set = openSet(t, config, shard.Options{MaxLag: maxLag, Metrics: c.metrics, Timeout: 4 * time.Second})
	require.NoError(t, shard.Migrate(t.Context(), c.set, "notes", notes))
	var err error
	c.db, err = c.set.ByRegion("us-west")
	require.NoError(t, err)
	return c
}

// server tells which server answered a read that may be old.
func (c *copied) server() (name string, err error) {
	err = c.db.Stale().Do(context.Background(), func(ctx context.Context, q shard.Querier) error {
		var standby bool
		err := q.QueryRow(ctx, `select pg_is_in_recovery()`).Scan(&standby)
		if name = "primary"; standby {
			name = "replica"
		}
		return err
	})
	return name, err
}

// await waits until reads are answered by the server; none may fail meanwhile.
func (c *copied) await(server string) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		name, err := c.server()
		require.NoError(c.t, err)
		return name == server
	}, soon, often, "answered by the %s", server)
}

// insert writes a note and gives its id.
func (c *copied) insert() string {
	c.t.Helper()
	id := c.set.Router().NewID("us-west")
	require.NoError(c.t, insertNote(c.t.Context(), c.set, id, "note"))
	return id
}

// has tells whether a read that may be old finds a note.
func (c *copied) has(id string) (found bool) {
	c.t.Helper()
	require.NoError(c.t, c.db.Stale().Do(c.t.Context(), func(ctx context.Context, q shard.Querier) error {
		return q.QueryRow(ctx, `select exists (select from notes.notes where id = $1)`, id).Scan(&found)
	}))
	return found
}

// replay stops or starts the replica's catching up; it goes on answering.
func (c *copied) replay(call string) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.replica.URL)
	require.NoError(c.t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(c.t.Context(), `select `+call+`()`)
	require.NoError(c.t, err)
}

// read reads without end from several goroutines; the returned function stops
// and tells how often. An error fails the test.
func (c *copied) read() (stop func() int64) {
	var reads atomic.Int64
	var group sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for range 4 {
		group.Go(func() {
			for ctx.Err() == nil {
				start := time.Now()
				if _, err := c.server(); err != nil {
					c.t.Errorf("a read that may be old failed: %v", err)
				}
				if took := time.Since(start); took > 4*time.Second {
					c.t.Errorf("a read took %s", took)
				}
				reads.Add(1)
			}
		})
	}
	return func() int64 {
		cancel()
		group.Wait()
		return reads.Load()
	}
}

// TestAReplicaThatDiesCostsNothing kills the replica under reads, freezes it, and
// starts it again.
func TestAReplicaThatDiesCostsNothing(t *testing.T) {
	t.Parallel()
	c := newCopied(t, 2*time.Second, nil)
	require.NoError(t, c.db.Do(t.Context(), func(ctx context.Context, q shard.Querier) error {
		var standby bool
		require.NoError(t, q.QueryRow(ctx, `select pg_is_in_recovery()`).Scan(&standby))
		require.False(t, standby, "only who asks for it gets old answers")
		return nil
	}))
	c.await("replica")
	require.Eventually(t, func() bool { return c.set.Health(t.Context())["postgres.a.replica"] == nil }, soon, often)
	stop := c.read()
	for name, fail := range map[string]func(){"killed": c.replica.Kill, "frozen": c.replica.Pause} {
		fail()
		c.await("primary")
		require.Eventually(t, func() bool { return c.set.Health(t.Context())["postgres.a.replica"] != nil }, soon, often, name)
		require.NoError(t, c.set.Health(t.Context())["postgres.a"])
		require.Zero(t, gauge(t, c.metrics, "tiffin_postgres_replica_usable", "a"))
		c.insert()
		if name == "killed" {
			c.replica.Start()
		} else {
			c.replica.Resume()
		}
		c.await("replica")
	}
	require.Positive(t, stop())
	require.Positive(t, gauge(t, c.metrics, "tiffin_postgres_connections_max", "a.replica"))
	for _, name := range watched(t) {
		gauge(t, c.metrics, name, "a") // is there
	}
}

// watched are the figures of replicas that alerts and dashboards look at.
func watched(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, path := range []string{"../deploy/prometheus/rules/tiffin.yml", "../deploy/grafana/dashboards/tiffin-services.json"} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		found := regexp.MustCompile(`tiffin_postgres_replica_[a-z_]+`).FindAllString(string(text), -1)
		require.NotEmpty(t, found, path)
		names = append(names, found...)
	}
	return names
}

// TestNothingOlderThanTheBoundIsMissing: a replica that stops to follow is read
// until the bound and not longer.
func TestNothingOlderThanTheBoundIsMissing(t *testing.T) {
	t.Parallel()
	const maxLag = 3 * time.Second
	c := newCopied(t, maxLag, nil)
	c.await("replica")
	c.replay("pg_wal_replay_pause")
	id := c.insert()
	written := time.Now()
	sawOld := false
	require.Eventually(t, func() bool {
		asked := time.Now()
		found := c.has(id)
		sawOld = sawOld || !found
		require.True(t, found || asked.Sub(written) < maxLag, "not found after %s", asked.Sub(written))
		return found
	}, soon, often)
	require.True(t, sawOld, "the replica did answer without it at first")
	require.Greater(t, gauge(t, c.metrics, "tiffin_postgres_replica_lag_seconds", "a"), maxLag.Seconds()/2)
	c.replay("pg_wal_replay_resume")
	c.await("replica")
	require.True(t, c.has(id))
}

// TestWithoutWordOfThePrimaryAReplicaGrowsOld: nobody knows then what it misses.
func TestWithoutWordOfThePrimaryAReplicaGrowsOld(t *testing.T) {
	t.Parallel()
	c := newCopied(t, 500*time.Millisecond, nil)
	c.await("replica")
	c.primary.Pause()
	require.Eventually(t, func() bool {
		_, err := c.server()
		if err != nil {
			require.ErrorIs(t, err, shard.ErrUnavailable)
		}
		return err != nil
	}, soon, often)
	c.primary.Resume()
	require.Eventually(t, func() bool {
		name, err := c.server()
		return err == nil && name == "replica"
	}, soon, often)
}

// TestAReplicaOfSomethingElseIsNotRead: a URL in the wrong line of a
// configuration.
func TestAReplicaOfSomethingElseIsNotRead(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*shard.Config){
		"no standby":     func(c *shard.Config) { c.Shards[0].ReplicaURL = c.Shards[0].URL },
		"another's copy": func(c *shard.Config) { swap(c) },
		"nobody there":   func(c *shard.Config) { c.Shards[0].ReplicaURL = nowhere },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, time.Second, change)
			for range 100 {
				answered, err := c.server()
				require.NoError(t, err)
				require.Equal(t, "primary", answered)
			}
			require.Eventually(t, func() bool { return c.set.Health(t.Context())["postgres.a.replica"] != nil }, soon, often)
		})
	}
}

// swap gives the first two shards each other's place, and leaves the replica
// with the one that it is not a copy of.
func swap(c *shard.Config) {
	a, b := &c.Shards[0], &c.Shards[1]
	a.ID, b.ID = b.ID, a.ID
	a.Regions, b.Regions = b.Regions, a.Regions
	a.ReplicaURL, b.ReplicaURL = "", a.ReplicaURL
}

// TestARegionThatArrivesIsReadWhereAllOfItIs: a replica that has not heard that a
// region came to its shard has none of its rows, or some.
func TestARegionThatArrivesIsReadWhereAllOfItIs(t *testing.T) {
	t.Parallel()
	c := newCopied(t, time.Hour, nil) // old answers would do
	require.NoError(t, shard.Migrate(t.Context(), c.set, "places", fstest.MapFS{"00001_places.sql": {Data: []byte(`
-- +goose Up
create table places.places (id uuid primary key, region text not null);
-- +goose Down
drop table places.places;
`)}}))
	from, err := c.set.ByRegion("mx")
	require.NoError(t, err)
	require.NoError(t, from.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into places.places values ($1, 'mx')`, c.set.Router().NewID("mx"))
		return err
	}))
	c.await("replica")
	c.replay("pg_wal_replay_pause")
	_, err = move.Run(t.Context(), move.Config{Set: c.set, Region: "mx", To: "a",
		Drained: func(context.Context, shard.Querier, shard.Region) (bool, error) { return true, nil }})
	require.NoError(t, err)
	c.db, err = c.set.ByRegion("mx")
	require.NoError(t, err)
	require.Equal(t, "a", c.db.ID())
	places := func() (n int) {
		require.NoError(t, c.db.Stale().Do(t.Context(), func(ctx context.Context, q shard.Querier) error {
			return q.QueryRow(ctx, `select count(*) from places.places where region = 'mx'`).Scan(&n)
		}))
		return n
	}
	require.Equal(t, 1, places())
	name, err := c.server()
	require.NoError(t, err)
	require.Equal(t, "primary", name)
	c.replay("pg_wal_replay_resume")
	c.await("replica")
	require.Equal(t, 1, places())
}

// TestWhatAReplicaRefusesThePrimaryAnswers: a failure in the middle leaves
// nothing behind.
func TestWhatAReplicaRefusesThePrimaryAnswers(t *testing.T) {
	t.Parallel()
	c := newCopied(t, time.Minute, nil)
	c.await("replica")
	var servers []bool
	require.NoError(t, c.db.Stale().Do(t.Context(), func(ctx context.Context, q shard.Querier) error {
		var standby bool
		if err := q.QueryRow(ctx, `select pg_is_in_recovery()`).Scan(&standby); err != nil {
			return err
		}
		servers = append(servers, standby)
		_, err := q.Exec(ctx, `create temporary table only_a_primary_can (x int)`)
		return err
	}))
	require.Equal(t, []bool{true, false}, servers)
}
