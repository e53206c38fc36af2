package outbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/shard"
	"tiffin/shard/outbox"
)

// TestMain is also the relay that the tests pause and kill: a process of its
// own.
func TestMain(m *testing.M) {
	if errand := os.Getenv("TIFFIN_TEST_RELAY"); errand != "" {
		if err := relayProcess([]byte(errand)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// A NATS server that is shut down at the moment it opens the store of an atomic batch forgets that store, which
	// keeps these two. Any other goroutine of a server would still be found.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*fileStore).flushStreamStateLoop"),
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server/ats.Register.func1"))
}

// soon and often are the patience and the pace of waiting for conditions.
const (
	soon  = 30 * time.Second
	often = 5 * time.Millisecond
)

// bench is one shard with an outbox, and a JetStream to relay it to.
type bench struct {
	t    testing.TB
	url  string
	set  *shard.Set
	db   *shard.DB
	nats *testenv.NATSServer
	ops  jetstream.JetStream // sees and may do everything
}

var allRegions = []string{"us-west", "ca", "us-east", "us-central", "us-south", "mx"}

// newBench makes a bench on a fresh database. The counter is a table whose rows
// the tests use as keys to lock.
func newBench(t testing.TB) *bench {
	t.Helper()
	return newBenchOn(t, testenv.Postgres(t))
}

func newBenchOn(t testing.TB, url string) *bench {
	t.Helper()
	ctx := context.Background()
	config := shard.Config{Shards: []shard.ShardConfig{{ID: "a", URL: url, Regions: allRegions}}}
	router, err := shard.NewRouter(config)
	require.NoError(t, err)
	set, err := shard.Open(ctx, router, config, shard.Options{MaxConns: 20, Timeout: 30 * time.Second})
	require.NoError(t, err)
	t.Cleanup(set.Close)
	require.NoError(t, shard.Migrate(ctx, set, "outbox", outbox.Migrations))
	server := testenv.NATS(t)
	b := &bench{t: t, url: url, set: set, db: set.ByShard("a"), nats: server, ops: server.JS()}
	_, err = b.db.Pool().Exec(ctx, `create table counters (key text primary key, version int not null)`)
	require.NoError(t, err)
	return b
}

// js is JetStream with the rights of the role that relays.
func (b *bench) js() jetstream.JetStream {
	b.t.Helper()
	conn, err := micro.Connect(micro.ConnConfig{URL: b.nats.URL, Role: "order", Password: b.nats.Password("order"), Log: slog.New(slog.DiscardHandler)})
	require.NoError(b.t, err)
	b.t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(b.t, err)
	return js
}

// relay starts a relay and gives what stops it and waits for its end.
func (b *bench) relay(change func(*outbox.RelayConfig)) (stop func()) {
	b.t.Helper()
	config := outbox.RelayConfig{DB: b.db, JS: b.js(), Log: slog.New(slog.NewTextHandler(b.t.Output(), nil))}
	if change != nil {
		change(&config)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- outbox.NewRelay(config).Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(b.t, <-done)
	})
	b.t.Cleanup(stop)
	return stop
}

// step is the payload of the tests: versions of one key rise by one.
type step struct {
	Key     string `json:"key"`
	Version int    `json:"version"`
}

// advance raises the version of a key and appends the event of it, as services
// do: the row is locked first.
func (b *bench) advance(ctx context.Context, key string, before func()) (string, error) {
	var id string
	err := b.db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var version int
		err := tx.QueryRow(ctx, `insert into counters values ($1, 1)
			on conflict (key) do update set version = counters.version + 1 returning version`, key).Scan(&version)
		if err != nil {
			return err
		}
		id = b.set.Router().NewID("mx")
		if err := outbox.Append(ctx, tx, outbox.Event{ID: id, Type: "order.status", Region: "mx", Key: key, Payload: step{key, version},
			Headers: map[string]string{"X-Request-Id": "r-" + id}}); err != nil {
			return err
		}
		if before != nil {
			before()
		}
		return nil
	})
	return id, err
}

// stored reads the whole stream.
func (b *bench) stored() []micro.Event {
	b.t.Helper()
	ctx := context.Background()
	stream, err := b.ops.Stream(ctx, micro.StreamEvents)
	require.NoError(b.t, err)
	info, err := stream.Info(ctx)
	require.NoError(b.t, err)
	var events []micro.Event
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq && info.State.Msgs > 0; seq++ {
		message, err := stream.GetMsg(ctx, seq)
		require.NoError(b.t, err)
		event, err := micro.ParseEvent(message.Subject, message.Header, message.Data)
		require.NoError(b.t, err)
		events = append(events, event)
	}
	return events
}

// messages counts what the stream holds, 0 while there is none.
func (b *bench) messages() int {
	stream, err := b.ops.Stream(context.Background(), micro.StreamEvents)
	if err != nil {
		return 0
	}
	return int(stream.CachedInfo().State.Msgs)
}

func (b *bench) requireMessages(want int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return b.messages() == want }, soon, often, "want %d messages", want)
}

func (b *bench) count(where string) (n int) {
	b.t.Helper()
	require.NoError(b.t, b.db.Pool().QueryRow(context.Background(), `select count(*) from outbox.events where `+where).Scan(&n))
	return n
}

// confirm consumes as the bridge does and acknowledges the next n messages.
func (b *bench) confirm(n int) {
	b.t.Helper()
	ctx := context.Background()
	consumer, err := b.ops.CreateOrUpdateConsumer(ctx, micro.StreamEvents, jetstream.ConsumerConfig{
		Durable: "bridge", AckPolicy: jetstream.AckExplicitPolicy, FilterSubjects: []string{"events.order.>"},
	})
	require.NoError(b.t, err)
	for range n {
		message, err := consumer.Next(jetstream.FetchMaxWait(soon))
		require.NoError(b.t, err)
		require.NoError(b.t, message.DoubleAck(ctx))
	}
}

func (b *bench) advanceMany(n int) (ids []string) {
	b.t.Helper()
	for i := range n {
		id, err := b.advance(context.Background(), fmt.Sprintf("key-%d", i%3), nil)
		require.NoError(b.t, err)
		ids = append(ids, id)
	}
	return ids
}
