package bridge_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"tiffin/bridge"
	"tiffin/micro"
)

// inStream gives the sequence numbers of the oldest and the newest event.
func (w *world) inStream() (first, last, n uint64) {
	w.t.Helper()
	stream, err := w.js.Stream(w.t.Context(), micro.StreamEvents)
	require.NoError(w.t, err)
	info, err := stream.Info(w.t.Context())
	require.NoError(w.t, err)
	return info.State.FirstSeq, info.State.LastSeq, info.State.Msgs
}

// slowReader makes a durable of a service that has acknowledged n events and is stuck at the next.
func (w *world) slowReader(name string, n int) {
	w.t.Helper()
	js, err := jetstream.New(w.nats.Conn("ops"))
	require.NoError(w.t, err)
	consumer, err := js.CreateOrUpdateConsumer(w.t.Context(), micro.StreamEvents, jetstream.ConsumerConfig{Durable: name, AckPolicy: jetstream.AckExplicitPolicy})
	require.NoError(w.t, err)
	batch, err := consumer.Fetch(n)
	require.NoError(w.t, err)
	for msg := range batch.Messages() {
		require.NoError(w.t, msg.DoubleAck(w.t.Context()))
	}
}

func aged(age time.Duration) func(*bridge.Config) {
	return func(c *bridge.Config) { c.MaxAge = age }
}

// Old events go once RabbitMQ has them, and not one that anybody still needs, whatever its age.
func TestOnlyWhatEverybodyHasConfirmedIsTrimmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.start()
	l := w.listen("trimmed")
	w.publish(orders(20)...)
	l.await(w.events)
	stop() // with everything acknowledged

	held := orders(4) // nobody relays these
	w.publish(held...)
	relayed := uint64(len(w.events) - len(held))
	w.slowReader("tracking", 12)
	trimmed := w.trim(time.Nanosecond)
	require.EqualValues(t, 12, trimmed, "tracking has confirmed no more")

	w.slowReader("tracking", len(w.events)-12)
	require.Equal(t, relayed-12, w.trim(time.Nanosecond), "the rest RabbitMQ has not confirmed")
	first, last, n := w.inStream()
	require.Equal(t, []uint64{relayed + 1, relayed + uint64(len(held)), uint64(len(held))}, []uint64{first, last, n})

	w.start()
	l.await(w.events) // nothing was lost
	require.Zero(t, w.trim(time.Hour), "what is young stays")
}

// A bridge that runs trims by itself.
func TestARunningBridgeTrims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.start()
	l := w.listen("trimming")
	w.publish(orders(10)...)
	l.await(w.events)
	stop()
	w.start(aged(time.Nanosecond))
	require.Eventually(t, func() bool {
		_, _, n := w.inStream()
		return n == 0
	}, 20*time.Second, 10*time.Millisecond)
}

// trim trims once as the bridge's own role, and tells how many events went.
func (w *world) trim(age time.Duration) uint64 {
	w.t.Helper()
	conn := w.nats.Conn("bridge")
	js, err := jetstream.New(conn)
	require.NoError(w.t, err)
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	n, err := bridge.Trim(bridge.New(bridge.Config{Conn: conn, JS: js, RabbitURL: w.rabbit}), ctx, time.Now().Add(-age))
	require.NoError(w.t, err)
	return n
}
