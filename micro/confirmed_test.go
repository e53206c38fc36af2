package micro_test

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

func TestConfirmed(t *testing.T) {
	t.Parallel()
	srv, js := streams(t)
	ops := srv.js("ops")
	status := event("3")
	status.Type = "order.status"
	_, err := micro.NewPublisher(js).PublishBatch(t.Context(), []micro.Event{event("1"), event("2"), status})
	require.NoError(t, err)
	stream, err := ops.Stream(t.Context(), micro.StreamEvents)
	require.NoError(t, err)
	consumer, err := ops.CreateConsumer(t.Context(), micro.StreamEvents, jetstream.ConsumerConfig{
		Durable: "reader", AckPolicy: jetstream.AckExplicitPolicy, FilterSubjects: []string{"events.order.created.>"},
	})
	require.NoError(t, err)
	upTo := func() uint64 {
		info, err := consumer.Info(t.Context())
		require.NoError(t, err)
		seq, err := micro.Confirmed(t.Context(), stream, info, 3)
		require.NoError(t, err)
		return seq
	}
	require.Zero(t, upTo())

	// What a server says that has not counted yet.
	early := *consumer.CachedInfo()
	early.NumPending = 0
	seq, err := micro.Confirmed(t.Context(), stream, &early, 3)
	require.NoError(t, err)
	require.Zero(t, seq, "two events wait, whatever the count says")

	for done := range uint64(2) {
		msg, err := consumer.Next()
		require.NoError(t, err)
		require.Equal(t, done, upTo(), "given and not acknowledged")
		require.NoError(t, msg.DoubleAck(t.Context()))
	}
	require.EqualValues(t, 3, upTo(), "the last event is none of the reader's")
}
