package micro_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/micro"
)

// event makes an event of an order.
func event(order string) micro.Event {
	return micro.Event{
		ID: uuid.NewString(), Type: "order.created", Region: "us-west", Key: order,
		Payload: []byte(`{"orderId":"` + order + `"}`), Headers: map[string]string{"X-Request-Id": "r-" + order},
		Time: time.Date(2026, 11, 22, 14, 8, 39, 1e6, time.UTC),
	}
}

// streams starts a server with the streams made by the role that owns them, and gives JetStream as that role.
func streams(t testing.TB) (*natsServer, jetstream.JetStream) {
	t.Helper()
	srv := newServer(t)
	js := srv.js("order")
	_, err := micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	return srv, js
}

// consume runs a consumer of the role until the test ends.
func consume(t testing.TB, srv *natsServer, role string, cfg micro.ConsumerConfig) (stop func()) {
	t.Helper()
	cfg.Durable = role
	js := srv.js(role)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- micro.Consume(ctx, js, cfg) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

func TestEnsureStreamTwice(t *testing.T) {
	t.Parallel()
	srv, js := streams(t)
	_, err := micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	info, err := srv.js("ops").Stream(t.Context(), micro.StreamEvents)
	require.NoError(t, err)
	cfg := info.CachedInfo().Config
	require.Equal(t, jetstream.FileStorage, cfg.Storage)
	require.Equal(t, jetstream.DiscardNew, cfg.Discard)
	require.Zero(t, cfg.MaxAge, "a backlog waits as long as it takes")
	require.Equal(t, 10*time.Minute, cfg.Duplicates)
}

func TestBatchIsStoredInOrderAndOnce(t *testing.T) {
	t.Parallel()
	srv, js := streams(t)
	p := micro.NewPublisher(js)
	var events []micro.Event
	for i := range 1200 { // three atomic batches
		events = append(events, event(fmt.Sprint(i%7)))
	}
	first, err := p.PublishBatch(t.Context(), events[:1])
	require.NoError(t, err)
	require.Equal(t, []uint64{1}, first)

	// The answer for the first one was lost: all are sent again.
	seqs, err := p.PublishBatch(t.Context(), events)
	require.NoError(t, err)
	for i, seq := range seqs {
		require.Equal(t, uint64(i+1), seq)
	}
	stream, err := srv.js("ops").Stream(t.Context(), micro.StreamEvents)
	require.NoError(t, err)
	require.Equal(t, uint64(1200), stream.CachedInfo().State.Msgs)
	for _, i := range []int{0, 499, 500, 1199} {
		msg, err := stream.GetMsg(t.Context(), uint64(i+1))
		require.NoError(t, err)
		require.Equal(t, events[i].ID, msg.Header.Get("Nats-Msg-Id"))
		got, err := micro.ParseEvent(msg.Subject, msg.Header, msg.Data)
		require.NoError(t, err)
		require.Equal(t, events[i], got, "an event comes back as it was sent")
	}
}

func TestPublishBatchRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	srv, js := streams(t)
	bad := event("1")
	bad.Region = "us.west"
	_, err := micro.NewPublisher(js).PublishBatch(t.Context(), []micro.Event{event("0"), bad})
	require.ErrorIs(t, err, micro.ErrEvent)
	stream, err := srv.js("ops").Stream(t.Context(), micro.StreamEvents)
	require.NoError(t, err)
	require.Zero(t, stream.CachedInfo().State.Msgs, "nothing of the batch is stored")
}

func TestEventSubject(t *testing.T) {
	t.Parallel()
	require.Equal(t, "events.order.created.us-west", micro.EventSubject("order.created", "us-west"))
	for _, bad := range [][2]string{
		{"", "mx"}, {"order.created", ""}, {"order.*", "mx"}, {"order.created", ">"}, {"order..created", "mx"},
		{"order.created", "a.b"}, {"order created", "mx"}, {"order.created", "mx\r\n"}, {"Order", "mx"},
	} {
		require.Empty(t, micro.EventSubject(bad[0], bad[1]), "%q", bad)
	}
	rapid.Check(t, func(t *rapid.T) {
		subject := micro.EventSubject(rapid.String().Draw(t, "type"), rapid.String().Draw(t, "region"))
		if subject != "" {
			require.Regexp(t, `^events(\.[a-z0-9_-]+){2,}$`, subject)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	f.Add("events.order.created.us-west", "id", "key", "2026-11-22T14:08:39.000Z")
	f.Add("events..", "", "", "")
	f.Fuzz(func(t *testing.T, subject, id, key, at string) {
		header := nats.Header{"Nats-Msg-Id": {id}, "ce-subject": {key}, "ce-time": {at}, "X": nil}
		e, err := micro.ParseEvent(subject, header, nil)
		if err == nil {
			require.Equal(t, subject, "events."+e.Type+"."+e.Region)
			require.NotEmpty(t, e.ID)
		}
	})
}

func TestConsumeInOrderWithContext(t *testing.T) {
	t.Parallel()
	srv, js := streams(t)
	var events []micro.Event
	for i := range 300 {
		events = append(events, event(fmt.Sprint(i)))
	}
	_, err := micro.NewPublisher(js).PublishBatch(t.Context(), events)
	require.NoError(t, err)
	got := make(chan micro.Event, len(events))
	consume(t, srv, "tracking", micro.ConsumerConfig{
		Filters: []string{"events.order.>"},
		Handler: func(ctx context.Context, e micro.Event) error {
			require.Equal(t, "r-"+e.Key, micro.RequestID(ctx))
			require.Equal(t, micro.Actor{Role: micro.RoleService, ID: "tracking"}, micro.ActorFrom(ctx))
			got <- e
			return nil
		},
	})
	for i := range events {
		require.Equal(t, events[i].ID, (<-got).ID)
	}
}

func TestWorkersKeepTheOrderOfAKey(t *testing.T) {
	t.Parallel()
	srv, js := streams(t)
	var events []micro.Event
	for i := range 400 {
		events = append(events, event(fmt.Sprint(i%10)))
	}
	_, err := micro.NewPublisher(js).PublishBatch(t.Context(), events)
	require.NoError(t, err)
	var mu sync.Mutex
	byKey := map[string][]string{}
	all := make(chan struct{}, len(events))
	consume(t, srv, "delivery", micro.ConsumerConfig{Workers: 4, Handler: func(_ context.Context, e micro.Event) error {
		mu.Lock()
		defer mu.Unlock()
		byKey[e.Key] = append(byKey[e.Key], e.ID)
		all <- struct{}{}
		return nil
	}})
	for range events {
		<-all
	}
	want := map[string][]string{}
	for _, e := range events {
		want[e.Key] = append(want[e.Key], e.ID)
	}
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, want, byKey)
}

func TestFailedEventComesBackAndPoisonIsBuried(t *testing.T) {
	t.Parallel()
	srv, js := streams(t)
	events := []micro.Event{event("flaky"), event("poison"), event("panic"), event("good")}
	_, err := micro.NewPublisher(js).PublishBatch(t.Context(), events)
	require.NoError(t, err)
	_, err = srv.js("ops").Publish(t.Context(), "events.order.created.mx", []byte("no id"))
	require.NoError(t, err)

	metrics := prometheus.NewRegistry()
	done := make(chan string, 10)
	attempts := map[string]int{}
	consume(t, srv, "tracking", micro.ConsumerConfig{Metrics: metrics, Handler: func(_ context.Context, e micro.Event) error {
		attempts[e.Key]++ // one worker: no lock
		switch {
		case e.Key == "flaky" && attempts[e.Key] < 3:
			return errors.New("shard is down")
		case e.Key == "poison":
			return micro.Poison(errors.New("no such field:\ncity"))
		case e.Key == "panic":
			panic("nil map")
		}
		done <- e.Key
		return nil
	}})
	require.Equal(t, "good", <-done, "the others do not wait")
	require.Equal(t, "flaky", <-done)
	dead, err := srv.js("ops").Stream(t.Context(), micro.StreamDead)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		info, err := dead.Info(t.Context())
		return err == nil && info.State.Msgs == 3
	}, 20*time.Second, 10*time.Millisecond, "poison, panic and the message that is no event")
	letter, err := dead.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "dead.tracking.events.order.created.us-west", letter.Subject)
	require.Equal(t, "no such field: city", letter.Header.Get(micro.HeaderDeadReason))
	require.Equal(t, events[1].ID, letter.Header.Get(micro.HeaderDeadID))
	require.JSONEq(t, string(events[1].Payload), string(letter.Data))
	require.Equal(t, 2.0, metric(t, metrics, "tiffin_events_consumed_total", "tracking", "retry", "order.created")-4, "and four panics")
}

// TestAFailedEventComesBackLaterEachTime: a shard that is down for long is not asked ever more often.
func TestAFailedEventComesBackLaterEachTime(t *testing.T) {
	t.Parallel()
	srv, js := streams(t)
	_, err := micro.NewPublisher(js).PublishBatch(t.Context(), []micro.Event{event("flaky")})
	require.NoError(t, err)
	tries := make(chan time.Time, 5)
	consume(t, srv, "tracking", micro.ConsumerConfig{Handler: func(context.Context, micro.Event) error {
		tries <- time.Now()
		if len(tries) == cap(tries) {
			close(tries)
			return nil
		}
		return errors.New("shard is down")
	}})
	// The shortest waits that jitter leaves of 100, 200, 400 and 800 ms.
	before := <-tries
	for _, least := range []int{75, 150, 300, 600} {
		at := <-tries
		require.GreaterOrEqual(t, at.Sub(before), time.Duration(least)*time.Millisecond)
		before = at
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-3, 200).Draw(t, "n")
		full := min(100*time.Millisecond<<min(max(n, 0), 20), 30*time.Second)
		got := micro.Backoff(n, 100*time.Millisecond, 30*time.Second)
		require.LessOrEqual(t, got, full)
		require.GreaterOrEqual(t, got, full*3/4-1)
	})
}

func TestConsumerIsRebuilt(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	got := make(chan string, 10)
	consume(t, srv, "tracking", micro.ConsumerConfig{Handler: func(_ context.Context, e micro.Event) error {
		got <- e.Key
		return nil
	}})
	js := srv.js("order") // the stream appears after the consumer
	_, err := micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	p := micro.NewPublisher(js)
	_, err = p.PublishBatch(t.Context(), []micro.Event{event("1")})
	require.NoError(t, err)
	require.Equal(t, "1", <-got)

	require.NoError(t, srv.js("ops").DeleteConsumer(t.Context(), micro.StreamEvents, "tracking"))
	_, err = p.PublishBatch(t.Context(), []micro.Event{event("2")})
	require.NoError(t, err)
	require.Equal(t, "1", <-got, "a new durable begins at the start: consumers are idempotent")
	require.Equal(t, "2", <-got)
}

func TestStoppedConsumerGivesBackAtOnce(t *testing.T) {
	t.Parallel()
	srv, js := streams(t)
	_, err := micro.NewPublisher(js).PublishBatch(t.Context(), []micro.Event{event("1"), event("2"), event("3")})
	require.NoError(t, err)
	entered, release := make(chan string, 3), make(chan struct{})
	stop := consume(t, srv, "tracking", micro.ConsumerConfig{Handler: func(_ context.Context, e micro.Event) error {
		entered <- e.Key
		<-release
		return nil
	}})
	require.Equal(t, "1", <-entered)
	go close(release)
	stop()
	consume(t, srv, "tracking", micro.ConsumerConfig{Handler: func(_ context.Context, e micro.Event) error {
		entered <- e.Key
		return nil
	}})
	var rest []string // the second may still have been handled by the first instance
	for range 2 {
		select {
		case key := <-entered:
			rest = append(rest, key)
		case <-time.After(10 * time.Second): // less than the 30 s after which the server would give them back
			t.Fatal("events of the stopped instance did not come back")
		}
	}
	require.ElementsMatch(t, []string{"2", "3"}, rest)
}
