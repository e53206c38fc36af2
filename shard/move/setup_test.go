package move_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/local/testenv"
	"tiffin/shard"
	"tiffin/shard/move"
	"tiffin/shard/outbox"
)

// TestMain is also the mover that the tests kill: a process of its own, which
// ends itself with SIGKILL at the step it was told, so that nothing of it gets
// the chance to clean up.
func TestMain(m *testing.M) {
	if errand := os.Getenv("TIFFIN_TEST_MOVE"); errand != "" {
		if err := runErrand([]byte(errand)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// errand is what the process that is killed shall do.
type errand struct {
	Shards shard.Config
	Region shard.Region
	To     string
	Die    string // name of a step
	Times  int    // at its how manieth occurrence
}

func runErrand(data []byte) error {
	var e errand
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	ctx := context.Background()
	router, err := shard.NewRouter(e.Shards)
	if err != nil {
		return err
	}
	set, err := shard.Open(ctx, router, e.Shards, shard.Options{Timeout: 20 * time.Second})
	if err != nil {
		return err
	}
	_, err = move.Run(ctx, move.Config{Set: set, Region: e.Region, To: e.To, Drained: outbox.Drained, Step: func(name string) error {
		if name == e.Die {
			e.Times--
		}
		if name == e.Die && e.Times == 0 {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	}})
	return err
}

const (
	soon  = 60 * time.Second
	often = 10 * time.Millisecond
)

// pads is a service with what makes moving hard: rows that exchange something
// unique, children that go with their parents, keys of several columns and of
// bytes, generated columns, and names that want quotes.
var pads = fstest.MapFS{"00001_pads.sql": {Data: []byte(`
-- +goose Up
create table pads.notes (id uuid primary key, region text not null, version int not null, "Slot" int,
    body jsonb not null default '{}', at timestamptz not null default now(), double int generated always as (version * 2) stored,
    unique (region, "Slot"));
create table pads."order" (note uuid not null references pads.notes on delete cascade, "from" bytea not null, region text not null, amount numeric,
    primary key (note, "from"));
create table pads.settings (name text primary key, value text);
-- +goose Down
drop table pads."order", pads.notes, pads.settings;
`)}}

// field is three shards with the service, and the processes that use them.
type field struct {
	t      testing.TB
	config shard.Config
	set    *shard.Set
}

func newField(t testing.TB) *field {
	t.Helper()
	urls := testenv.ShardURLs(t)
	f := &field{t: t, config: shard.Config{Shards: []shard.ShardConfig{
		{ID: "a", URL: urls["a"], Regions: []string{"us-west", "ca"}},
		{ID: "b", URL: urls["b"], Regions: []string{"us-east", "us-central"}},
		{ID: "c", URL: urls["c"], Regions: []string{"us-south", "mx"}},
	}}}
	f.set = f.process()
	for service, migrations := range map[string]fstest.MapFS{"pads": pads} {
		require.NoError(t, shard.Migrate(context.Background(), f.set, service, migrations))
	}
	require.NoError(t, shard.Migrate(context.Background(), f.set, "outbox", outbox.Migrations))
	return f
}

// process opens a set of its own: its view of the regions is its own too.
func (f *field) process() *shard.Set {
	f.t.Helper()
	router, err := shard.NewRouter(f.config)
	require.NoError(f.t, err)
	set, err := shard.Open(context.Background(), router, f.config, shard.Options{Timeout: 20 * time.Second})
	require.NoError(f.t, err)
	f.t.Cleanup(set.Close)
	return set
}

// relays runs a relay on every shard, as a fleet does.
func (f *field) relays() jetstream.JetStream {
	f.t.Helper()
	server := testenv.NATS(f.t)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for _, db := range f.set.All() {
		js, err := jetstream.New(server.Conn("order"))
		require.NoError(f.t, err)
		group.Go(func() { require.NoError(f.t, outbox.NewRelay(outbox.RelayConfig{DB: db, JS: js}).Run(ctx)) })
	}
	f.t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return server.JS()
}

func (f *field) move(region shard.Region, to string, change func(*move.Config)) (move.Report, error) {
	config := move.Config{Set: f.set, Region: region, To: to, Drained: outbox.Drained}
	if change != nil {
		change(&config)
	}
	return move.Run(context.Background(), config)
}

// killed runs the move in a process that kills itself at the step's n-th
// occurrence.
func (f *field) killed(region shard.Region, to, step string, n int) {
	f.t.Helper()
	data, err := json.Marshal(errand{Shards: f.config, Region: region, To: to, Die: step, Times: n})
	require.NoError(f.t, err)
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "TIFFIN_TEST_MOVE="+string(data))
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(f.t, err, &exit, "the run must have reached %q: %s", step, output)
	status, ok := exit.Sys().(syscall.WaitStatus)
	require.True(f.t, ok && status.Signaled() && status.Signal() == syscall.SIGKILL, "at %q: %v: %s", step, err, output)
}

// fill writes n notes with an order each, and gives their ids.
func (f *field) fill(region shard.Region, n int) (ids []string) {
	f.t.Helper()
	db, err := f.set.ByRegion(region)
	require.NoError(f.t, err)
	require.NoError(f.t, db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
		for i := range n {
			id := f.set.Router().NewID(region)
			ids = append(ids, id)
			if _, err := tx.Exec(ctx, `insert into pads.notes (id, region, version, "Slot", body) values ($1, $2, 1, $3, '{"a": [1.50, "ü\n"]}')`, id, region, i); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `insert into pads."order" values ($1, '\x00ff', $2, 45.90)`, id, region); err != nil {
				return err
			}
		}
		return nil
	}))
	return ids
}

// on counts a region's rows of a table on a shard.
func (f *field) on(id string, table string, region shard.Region) (n int) {
	f.t.Helper()
	require.NoError(f.t, f.set.ByShard(id).Pool().QueryRow(context.Background(),
		fmt.Sprintf(`select count(*) from %s where region = $1`, table), region).Scan(&n))
	return n
}

// owners gives the shards that would admit a writer of the region now.
func (f *field) owners(region shard.Region) (owners []string) {
	f.t.Helper()
	for _, db := range f.set.All() {
		_, err := db.Pool().Exec(context.Background(), fmt.Sprintf(`select shard.enter(%d)`, f.set.Router().Code(region)))
		if err == nil {
			owners = append(owners, db.ID())
			continue
		}
		require.ErrorContains(f.t, err, "TF001")
	}
	return owners
}

// requireClean checks that a finished or called-off move has left nothing but
// the region, on one shard.
func (f *field) requireClean(region shard.Region, home string, notes int) {
	f.t.Helper()
	require.Equal(f.t, []string{home}, f.owners(region))
	for _, db := range f.set.All() {
		want := 0
		if db.ID() == home {
			want = notes
		}
		require.Equal(f.t, want, f.on(db.ID(), "pads.notes", region), "notes on %s", db.ID())
		require.Equal(f.t, want, f.on(db.ID(), `pads."order"`, region), "orders on %s", db.ID())
		var left int
		require.NoError(f.t, db.Pool().QueryRow(context.Background(), `select
			(select count(*) from pg_trigger where tgname like 'shard_move%') + (select count(*) from shard.move_log) + (select count(*) from shard.moves)
			+ (select count(*) from shard.ownership where state in ('incoming', 'frozen') or state = 'owner' and peer is not null)`).Scan(&left))
		require.Zero(f.t, left, "what a move leaves on %s", db.ID())
	}
}

// dump is everything a shard has of a region, as text.
func (f *field) dump(id string, region shard.Region) string {
	f.t.Helper()
	var text strings.Builder
	for _, sql := range []string{`select n::text from pads.notes n where region = $1 order by id`, `select o::text from pads."order" o where region = $1 order by 1`} {
		rows, err := f.set.ByShard(id).Pool().Query(context.Background(), sql, region)
		require.NoError(f.t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(f.t, err)
		text.WriteString(strings.Join(lines, "\n"))
	}
	return text.String()
}
