package shard_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/shard"
)

// outage is a fleet whose shard b the test may kill and pause.
type outage struct {
	set    *shard.Set
	server *testenv.Server
	west   string // an id on shard a
	east   string // an id on shard b
}

func newOutage(t *testing.T, opts shard.Options) *outage {
	t.Helper()
	server := testenv.OwnPostgres(t)
	set := openSet(t, defaultConfig(testenv.Postgres(t), server.URL, testenv.Postgres(t)), opts)
	ctx := context.Background()
	require.NoError(t, shard.Migrate(ctx, set, "notes", notes))
	o := &outage{set: set, server: server, west: set.Router().NewID("us-west"), east: set.Router().NewID("us-east")}
	require.NoError(t, insertNote(ctx, set, o.west, "west"))
	require.NoError(t, insertNote(ctx, set, o.east, "east"))
	return o
}

// requireDown checks that the dead shard's regions answer "unavailable" within
// two seconds, and all others answer. The bounds leave room for a machine that
// runs many tests at once.
func (o *outage) requireDown(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	for range 6 { // enough for the breaker to open on the way
		start := time.Now()
		_, err := readNote(ctx, o.set, o.east)
		require.ErrorIs(t, err, shard.ErrUnavailable)
		require.Less(t, time.Since(start), 4*time.Second)
		require.Eventually(t, func() bool {
			_, err := readNote(ctx, o.set, o.west)
			return err == nil
		}, soon, often)
	}
	require.Eventually(t, func() bool {
		start := time.Now()
		require.ErrorIs(t, insertNote(ctx, o.set, o.set.Router().NewID("us-east"), "x"), shard.ErrUnavailable)
		return time.Since(start) < 50*time.Millisecond
	}, soon, often, "an open breaker answers at once")
	require.Eventually(t, func() bool {
		health := o.set.Health(ctx)
		require.Error(t, health["postgres.b"])
		return health["postgres.a"] == nil && health["postgres.c"] == nil
	}, soon, often)
}

// requireBack checks that the shard serves again soon after it is back, with
// what was committed.
func (o *outage) requireBack(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	back := time.Now()
	require.Eventually(t, func() bool {
		text, err := readNote(ctx, o.set, o.east)
		return err == nil && text == "east"
	}, soon, often)
	t.Logf("back after %s", time.Since(back))
	require.Eventually(t, func() bool { return insertNote(ctx, o.set, o.set.Router().NewID("us-east"), "again") == nil }, soon, often)
	require.Eventually(t, func() bool { return o.set.Health(ctx)["postgres.b"] == nil }, soon, often)
}

func TestADeadShardCostsOnlyItsRegions(t *testing.T) {
	t.Parallel()
	metrics := prometheus.NewRegistry()
	o := newOutage(t, shard.Options{Metrics: metrics})
	o.server.Kill()
	o.requireDown(t)
	require.Eventually(t, func() bool { return gauge(t, metrics, "tiffin_postgres_breaker_open", "b") == 1 }, soon, often)
	require.Eventually(t, func() bool { return gauge(t, metrics, "tiffin_postgres_breaker_open", "a") == 0 }, soon, often)
	o.server.Start()
	o.requireBack(t)
	require.Eventually(t, func() bool { return gauge(t, metrics, "tiffin_postgres_breaker_open", "b") == 0 }, soon, often)
}

func gauge(t *testing.T, metrics *prometheus.Registry, name, id string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name && metric.GetLabel()[0].GetValue() == id {
				return metric.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s of shard %s", name, id)
	return 0
}

func TestAFrozenShardCostsOnlyItsRegions(t *testing.T) {
	t.Parallel()
	o := newOutage(t, shard.Options{})
	o.server.Pause()
	o.requireDown(t)
	o.server.Resume()
	o.requireBack(t)
}

// An operator closes the door of a shard that is being restored, or its database is not there yet.
func TestAShardThatLetsNobodyInIsAway(t *testing.T) {
	t.Parallel()
	o := newOutage(t, shard.Options{})
	u, err := url.Parse(o.server.URL)
	require.NoError(t, err)
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/template1"
	admin, err := pgx.Connect(t.Context(), u.String())
	require.NoError(t, err)
	defer admin.Close(context.Background())
	_, err = admin.Exec(t.Context(), `alter database `+name+` allow_connections false`)
	require.NoError(t, err)
	_, err = admin.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`, name)
	require.NoError(t, err)
	o.requireDown(t)
	_, err = admin.Exec(t.Context(), `alter database `+name+` allow_connections true`)
	require.NoError(t, err)
	o.requireBack(t)
}

func TestALostCommitIsNotCalledAFailure(t *testing.T) {
	t.Parallel()
	o := newOutage(t, shard.Options{})
	db, err := o.set.ByID(o.east)
	require.NoError(t, err)
	err = db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update notes.notes set text = 'east' where id = $1`, o.east)
		o.server.Kill()
		return err
	})
	require.ErrorIs(t, err, shard.ErrUnavailable)
	require.True(t, shard.CommitUnknown(err), "nobody can say whether a COMMIT without an answer happened: %v", err)
	require.ErrorContains(t, err, "commit outcome unknown")

	_, err = readNote(context.Background(), o.set, o.east)
	require.ErrorIs(t, err, shard.ErrUnavailable)
	require.False(t, shard.CommitUnknown(err))
	o.server.Start()
	o.requireBack(t)
}

func TestAShardThatIsAwayAtTheStartIsMigratedWhenItComes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := testenv.OwnPostgres(t)
	server.Kill()
	set := openSet(t, defaultConfig(testenv.Postgres(t), server.URL, testenv.Postgres(t)), shard.Options{})
	require.NoError(t, shard.Migrate(ctx, set, "notes", notes))
	west, east := set.Router().NewID("us-west"), set.Router().NewID("us-east")
	require.Eventually(t, func() bool { return insertNote(ctx, set, west, "x") == nil }, soon, often, "the others do not wait for it")
	require.ErrorIs(t, insertNote(ctx, set, east, "x"), shard.ErrUnavailable)

	server.Start()
	require.Eventually(t, func() bool { return insertNote(ctx, set, east, "x") == nil }, soon, often)
	require.Eventually(t, func() bool { return set.Health(ctx)["postgres.b"] == nil }, soon, often)
}

func TestClosingDoesNotWaitForADeadShard(t *testing.T) {
	t.Parallel()
	config := defaultConfig(nowhere, nowhere, nowhere)
	router, err := shard.NewRouter(config)
	require.NoError(t, err)
	set, err := shard.Open(context.Background(), router, config, shard.Options{})
	require.NoError(t, err)
	require.NoError(t, shard.Migrate(context.Background(), set, "notes", notes))
	_, err = readNote(context.Background(), set, router.NewID("mx"))
	require.ErrorIs(t, err, shard.ErrUnavailable)
	start := time.Now()
	set.Close()
	require.Less(t, time.Since(start), 10*time.Second)
	_, err = readNote(context.Background(), set, router.NewID("mx"))
	require.ErrorIs(t, err, shard.ErrUnavailable)
}
