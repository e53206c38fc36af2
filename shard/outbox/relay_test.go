package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/shard/outbox"
)

func TestEventsOfCommittedTransactionsArrive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	metrics := prometheus.NewRegistry()
	b.relay(func(c *outbox.RelayConfig) { c.Metrics = metrics })
	ids := b.advanceMany(7)
	b.requireMessages(7)
	events := b.stored()
	for i, event := range events {
		require.Equal(t, ids[i], event.ID)
		require.Equal(t, "order.status", event.Type)
		require.Equal(t, "mx", event.Region)
		require.Equal(t, "r-"+ids[i], event.Headers["X-Request-Id"])
		require.WithinDuration(t, time.Now(), event.Time, time.Minute)
		var s step
		require.NoError(t, json.Unmarshal(event.Payload, &s))
		require.Equal(t, event.Key, s.Key)
		require.Equal(t, i/3+1, s.Version)
	}
	require.Eventually(t, func() bool { return b.count("sent_at is null") == 0 }, soon, often)
	require.Equal(t, 7, b.count("stream_seq between 1 and 7"))
	require.Eventually(t, func() bool { return metric(t, metrics, "tiffin_outbox_unsent") == 0 }, soon, often)
	require.Equal(t, 7.0, metric(t, metrics, "tiffin_outbox_sent_total"))
}

func metric(t *testing.T, metrics *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == name {
			require.Equal(t, "a", family.GetMetric()[0].GetLabel()[0].GetValue())
			return family.GetMetric()[0].GetGauge().GetValue() + family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestRolledBackTransactionsTellNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.relay(nil)
	refused := errors.New("no")
	err := b.db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
		require.NoError(t, outbox.Append(ctx, tx, outbox.Event{Type: "order.created", Region: "mx", Key: "k", Payload: 1}))
		return refused
	})
	require.Equal(t, refused, err)
	b.advanceMany(1)
	b.requireMessages(1)
	require.Equal(t, "order.status", b.stored()[0].Type)
}

func TestAnIdleRelayHearsOfACommitAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.relay(nil)
	b.advanceMany(1)
	b.requireMessages(1)
	subscription, err := b.nats.Conn("ops").SubscribeSync("events.>")
	require.NoError(t, err)
	var delays []time.Duration
	for range 30 {
		// Until it sleeps, so that what is measured includes being woken.
		require.Eventually(t, func() bool { return b.sleeping() }, soon, time.Millisecond)
		_, err := b.advance(context.Background(), "key", nil)
		committed := time.Now()
		require.NoError(t, err)
		_, err = subscription.NextMsg(soon)
		require.NoError(t, err)
		delays = append(delays, time.Since(committed))
	}
	slices.Sort(delays)
	t.Logf("commit to JetStream: median %s, worst %s", delays[len(delays)/2], delays[len(delays)-1])
	require.Less(t, delays[len(delays)/2], 500*time.Millisecond, "a lost wake-up would take the poll's second")
}

// sleeping tells whether a relay holds the lock by which it says that it wants
// to be notified.
func (b *bench) sleeping() (asleep bool) {
	b.t.Helper()
	require.NoError(b.t, b.db.Pool().QueryRow(context.Background(), `select exists (select from pg_locks where locktype = 'advisory'
		and database = (select oid from pg_database where datname = current_database()) and objid = 2 and mode = 'ExclusiveLock')`).Scan(&asleep))
	return asleep
}

func TestTwoRelaysShareTheWorkOneAfterTheOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stopOne, stopTwo := b.relay(nil), b.relay(nil)
	b.advanceMany(10)
	b.requireMessages(10)
	stopOne()
	b.advanceMany(10)
	b.requireMessages(20)
	stopTwo()
	b.advanceMany(5)
	b.relay(nil)
	b.requireMessages(25)
}

func TestAWipedStreamIsFilledAgainWithWhatNobodyConfirmed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.relay(nil)
	ids := b.advanceMany(9)
	b.requireMessages(9)
	b.confirm(4)
	require.Eventually(t, func() bool { return b.floor() == 4 }, soon, often, "the relay has seen the confirmation")

	require.NoError(t, b.ops.DeleteStream(context.Background(), micro.StreamEvents))
	b.requireMessages(5)
	var again []string
	for _, event := range b.stored() {
		again = append(again, event.ID)
	}
	require.Equal(t, ids[4:], again, "in the old order")
	require.Equal(t, 4, b.count("stream_seq = 0"), "what was confirmed is done with")
	b.confirm(5)
	require.Eventually(t, func() bool { return b.floor() == 5 }, soon, often)

	require.NoError(t, b.ops.DeleteStream(context.Background(), micro.StreamEvents))
	b.advanceMany(1)
	b.requireMessages(1)
}

func (b *bench) floor() (floor int) {
	b.t.Helper()
	require.NoError(b.t, b.db.Pool().QueryRow(context.Background(), `select coalesce(max(floor), 0) from outbox.stream`).Scan(&floor))
	return floor
}

// TestAStreamThatLostItsEndIsFilledAgain has rows that were acknowledged and
// are not in the stream, as after a power cut that cost the server its last
// writes: their numbers are unused, or used by others meanwhile.
func TestAStreamThatLostItsEndIsFilledAgain(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]int{"unused": 7, "used by others": 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			b := newBench(t)
			stop := b.relay(nil)
			ids := b.advanceMany(6)
			require.Eventually(t, func() bool { return b.count("sent_at is not null") == 6 }, soon, often)
			stop()
			for i := range 3 {
				ids = append(ids, b.advanceMany(1)...)
				_, err := b.db.Pool().Exec(ctx, `update outbox.events set sent_at = now(), stream_seq = $1 where sent_at is null`, first+i)
				require.NoError(t, err)
			}

			b.relay(nil)
			b.requireMessages(9)
			for i, event := range b.stored() {
				require.Equal(t, ids[i], event.ID)
			}
		})
	}
}

func TestRowsAreKeptUntilConfirmedAndOld(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stop := b.relay(func(c *outbox.RelayConfig) { c.Retention = time.Hour })
	b.advanceMany(6)
	b.requireMessages(6)
	b.confirm(4)
	require.Eventually(t, func() bool { return b.floor() == 4 }, soon, often)
	require.Equal(t, 6, b.count("true"), "young rows stay")
	stop()

	_, err := b.db.Pool().Exec(context.Background(), `update outbox.events set sent_at = sent_at - interval '2 hours'`)
	require.NoError(t, err)
	stop = b.relay(func(c *outbox.RelayConfig) { c.Retention = time.Hour })
	require.Eventually(t, func() bool { return b.count("true") == 2 }, soon, often)
	require.Equal(t, 2, b.count("stream_seq > 4"), "what the bridge has not confirmed stays, however old")
	stop()
}

func TestJetStreamMayBeAwayForAnyTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	metrics := prometheus.NewRegistry()
	b.relay(func(c *outbox.RelayConfig) { c.Metrics = metrics })
	b.advanceMany(3)
	require.Eventually(t, func() bool { return b.count("sent_at is not null") == 3 }, soon, often)
	b.nats.Stop()
	b.advanceMany(20)
	require.Eventually(t, func() bool {
		return metric(t, metrics, "tiffin_outbox_unsent") == 20 && metric(t, metrics, "tiffin_outbox_oldest_seconds") > 0
	}, soon, often)
	b.nats.Start()
	b.requireMessages(23)
}

func TestEventsThatCannotBeSentFailTheirTransaction(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	good := outbox.Event{Type: "order.created", Region: "us-west", Key: "k", Payload: map[string]int{"a": 1}}
	large := make([]byte, 600<<10)
	for name, change := range map[string]func(*outbox.Event){
		"id":             func(e *outbox.Event) { e.ID = "not-a-uuid" },
		"wildcard":       func(e *outbox.Event) { e.Type = "order.*" },
		"no type":        func(e *outbox.Event) { e.Type = "" },
		"region dot":     func(e *outbox.Event) { e.Region = "us.west" },
		"no region":      func(e *outbox.Event) { e.Region = "" },
		"no key":         func(e *outbox.Event) { e.Key = "" },
		"key lines":      func(e *outbox.Event) { e.Key = "a\r\nb" },
		"header name":    func(e *outbox.Event) { e.Headers = map[string]string{"a b": "c"} },
		"header lines":   func(e *outbox.Event) { e.Headers = map[string]string{"A": "b\r\nNats-Msg-Id: x"} },
		"nats header":    func(e *outbox.Event) { e.Headers = map[string]string{"Nats-Msg-Id": "x"} },
		"header size":    func(e *outbox.Event) { e.Headers = map[string]string{"A": string(make([]byte, 20<<10))} },
		"payload size":   func(e *outbox.Event) { e.Payload = string(large) },
		"payload":        func(e *outbox.Event) { e.Payload = func() {} },
		"payload syntax": func(e *outbox.Event) { e.Payload = json.RawMessage("{") },
	} {
		event := good
		change(&event)
		require.Error(t, b.db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
			return outbox.Append(ctx, tx, event)
		}), name)
	}
	require.Zero(t, b.count("true"))
	require.NoError(t, b.db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error { return outbox.Append(ctx, tx, good) }))
	require.Equal(t, 1, b.count(`payload::text = '{"a":1}'`))
}
