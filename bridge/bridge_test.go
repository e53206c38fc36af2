package bridge_test

import (
	"encoding/json"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"tiffin/bridge"
	"tiffin/micro"
)

// status asks bridge.status.
func (w *world) status() (out bridge.Status) {
	w.t.Helper()
	answer, err := w.nats.Conn("ops").Request("bridge.status", nil, 5*time.Second)
	require.NoError(w.t, err)
	require.Empty(w.t, answer.Header, string(answer.Data))
	require.NoError(w.t, json.Unmarshal(answer.Data, &out))
	return out
}

func TestRelaysWithTheContractsProperties(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	l := w.listen("kitchen")
	e := created("o-1")
	w.publish(e, assigned("o-1"))
	require.Zero(t, l.await(w.events))
	d := l.deliveries()[0]
	require.Equal(t, "order.created", d.RoutingKey)
	require.Equal(t, "orders", d.Exchange)
	require.Equal(t, "application/json", d.ContentType)
	require.Equal(t, amqp.Persistent, d.DeliveryMode)
	require.Equal(t, e.ID, d.MessageId)
	require.Equal(t, "order.created", d.Type)
	require.Equal(t, "tiffin", d.AppId)
	require.WithinDuration(t, e.Time, d.Timestamp, time.Second)
	require.Equal(t, "r-o-1", d.Headers["X-Request-Id"])
	require.Equal(t, e.Headers["traceparent"], d.Headers["traceparent"])
	require.Equal(t, e.ID, d.Headers["cloudEvents:id"])
	require.Equal(t, "1.0", d.Headers["cloudEvents:specversion"])
	require.Equal(t, "tiffin/us-west", d.Headers["cloudEvents:source"])
	require.Equal(t, string(e.Payload), string(d.Body), "byte for byte: 45.90 stays 45.90")
	require.Eventually(t, func() bool {
		s := w.status()
		return s.Connected && s.Relayed == 2 && s.Lag == 0 && s.OldestSeconds == 0 && s.DeadLettered == 0
	}, 5*time.Second, 10*time.Millisecond)
}

func TestManyInOrderWithoutCopies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.start(func(c *bridge.Config) { c.Window = 64 })
	l := w.listen("kitchen")
	w.publish(orders(1000)...)
	require.Zero(t, l.await(w.events))
	stop()
	w.publish(orders(100)...) // waits for the next instance
	w.start()
	require.Zero(t, l.await(w.events), "a clean stop costs no copies")
}

func TestOtherEventsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	l := w.listen("kitchen")
	other := created("o-0")
	other.Type = "order.status"
	_, err := micro.NewPublisher(w.js).PublishBatch(t.Context(), []micro.Event{other})
	require.NoError(t, err)
	w.publish(created("o-1"))
	require.Zero(t, l.await(w.events))
	require.Len(t, l.deliveries(), 1)
}

func TestWhatNoQueueTakesGoesToUnrouted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.publish(orders(10)...)
	w.awaitExchange()
	require.Zero(t, w.consume(w.channel(), "orders.unrouted").await(w.events))
	channel := w.channel()
	_, err := channel.QueueDeclare("orders.unrouted", true, false, false, false, amqp.Table{"x-max-length": 10000, "x-overflow": "drop-head"})
	require.NoError(t, err, "durable and bounded: any other arguments would be refused")
}

func TestPoisonIsBuriedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	l := w.listen("kitchen")
	bad := []micro.Event{created("o-1"), created("o-2"), created("o-3"), created("o-4"), assigned("o-5")}
	bad[0].Payload = []byte(`{"eventType":"order.created"}`)
	bad[1].Payload = []byte(`not json`)
	bad[2].Payload = created("o-other").Payload
	bad[3].Payload = assigned("o-4").Payload
	bad[4].Payload = append(assigned("o-5").Payload[:len(assigned("o-5").Payload)-1], []byte(`,"secret":1}`)...)
	_, err := micro.NewPublisher(w.js).PublishBatch(t.Context(), bad)
	require.NoError(t, err)
	w.publish(created("o-1"), assigned("o-1"))
	require.Zero(t, l.await(w.events))
	require.Eventually(t, func() bool { s := w.status(); return s.DeadLettered == 5 && s.Lag == 0 }, 5*time.Second, 10*time.Millisecond)
}

func TestStatusWithoutRabbitMQ(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(c *bridge.Config) { c.RabbitURL = "amqp://guest:guest@127.0.0.1:1/" })
	w.publish(orders(10)...)
	s := w.status()
	require.False(t, s.Connected)
	require.Equal(t, uint64(20), s.Lag)
	require.Zero(t, s.Relayed)
	require.Positive(t, s.OldestSeconds)
}
