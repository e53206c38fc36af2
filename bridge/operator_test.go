package bridge_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"tiffin/bridge"
	"tiffin/micro"
)

// operator gives the configuration with which commands work: as the role bridge, with its permissions only.
func (w *world) operator() bridge.Config {
	w.t.Helper()
	conn := w.nats.Conn("bridge")
	js, err := jetstream.New(conn)
	require.NoError(w.t, err)
	return bridge.Config{Conn: conn, JS: js, RabbitURL: w.rabbit}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	l := w.listen("kitchen")
	first := orders(20)
	w.publish(first...)
	l.await(w.events)
	w.drained()
	middle := time.Now()
	w.publish(orders(10)...)
	require.Zero(t, l.await(w.events))

	n, err := bridge.Replay(t.Context(), w.operator(), bridge.Span{})
	require.NoError(t, err)
	require.Equal(t, len(w.events), n)
	w.eventually(l, 2*len(w.events))
	require.Equal(t, len(w.events), l.await(w.events), "all once more, in order, the same")

	n, err = bridge.Replay(t.Context(), w.operator(), bridge.Span{Until: middle, Type: "order.created"})
	require.NoError(t, err)
	require.Equal(t, 20, n)
	n, err = bridge.Replay(t.Context(), w.operator(), bridge.Span{Since: middle, Type: "order.assigned"})
	require.NoError(t, err)
	require.Equal(t, 10, n)
	n, err = bridge.Replay(t.Context(), w.operator(), bridge.Span{Since: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = bridge.Replay(t.Context(), w.operator(), bridge.Span{Type: "order.status"})
	require.ErrorContains(t, err, "only order.created and order.assigned")
	w.drained() // the daily work has not noticed
}

// eventually waits for a number of deliveries.
func (w *world) eventually(l *listener, n int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return len(l.deliveries()) >= n }, 30*time.Second, 10*time.Millisecond)
}

func TestDeadLettersAreListedAndRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none, err := bridge.DeadLetters(t.Context(), w.operator().JS)
	require.NoError(t, err)
	require.Empty(t, none)
	w.start()
	l := w.listen("kitchen")
	bad := created("o-1")
	bad.Payload = []byte(`{"eventType":"order.created"}`)
	_, err = micro.NewPublisher(w.js).PublishBatch(t.Context(), []micro.Event{bad})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return w.status().DeadLettered == 1 }, 20*time.Second, 10*time.Millisecond)
	letters, err := bridge.DeadLetters(t.Context(), w.operator().JS)
	require.NoError(t, err)
	require.Len(t, letters, 1)
	require.Equal(t, bad.ID, letters[0].ID)
	require.Equal(t, "bridge", letters[0].Consumer)
	require.Equal(t, "events.order.created.us-west", letters[0].Subject)
	require.Contains(t, letters[0].Reason, "a field is missing")

	n, err := bridge.Retry(t.Context(), w.operator())
	require.ErrorContains(t, err, "a field is missing")
	require.Zero(t, n)

	// Events that an older version refused and this one does not: the letter is as a bridge would write it.
	good := created("o-2")
	header := map[string][]string{
		"ce-subject": {good.Key}, micro.HeaderDeadConsumer: {"bridge"}, micro.HeaderDeadID: {good.ID},
		micro.HeaderDeadSubject: {"events.order.created.us-west"}, micro.HeaderDeadReason: {"older version"},
	}
	w.bury("dead.bridge.events.order.created.us-west", header, good.Payload)
	header[micro.HeaderDeadConsumer] = []string{"delivery"}
	w.bury("dead.delivery.events.order.created.us-west", header, good.Payload)
	n, err = bridge.Retry(t.Context(), w.operator(), 3, 4)
	require.ErrorContains(t, err, "3: a letter of another consumer: delivery")
	require.ErrorContains(t, err, "4: no such dead letter")
	require.Zero(t, n, "only what is the bridge's")
	n, err = bridge.Retry(t.Context(), w.operator(), 2)
	require.NoError(t, err, "number 1 was not asked for")
	require.Equal(t, 1, n)
	require.Zero(t, l.await([]micro.Event{good}))
	letters, err = bridge.DeadLetters(t.Context(), w.operator().JS)
	require.NoError(t, err)
	require.Len(t, letters, 2, "what went out is removed")
}

// bury puts a letter among the dead.
func (w *world) bury(subject string, header map[string][]string, payload []byte) {
	w.t.Helper()
	msg := natsMsg(subject, header, payload)
	_, err := w.nats.JS().PublishMsg(w.t.Context(), msg)
	require.NoError(w.t, err)
}
