package bridge_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/bridge"
	"tiffin/local/testenv"
	"tiffin/micro"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProcess) != "" {
		runAsProcess()
		return
	}
	goleak.VerifyTestMain(m)
}

// world is a stream with events, a broker with a consumer's queue, and what a test does with them.
type world struct {
	t      testing.TB
	nats   *testenv.NATSServer
	js     jetstream.JetStream // as the role that publishes
	rabbit string              // URL
	events []micro.Event       // published so far
	log    processLog          // of bridges that are processes
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, testenv.RabbitMQ(t))
}

func newWorldOn(t testing.TB, rabbit string) *world {
	t.Helper()
	w := &world{t: t, nats: testenv.NATS(t), rabbit: rabbit}
	js, err := jetstream.New(w.nats.Conn("order"))
	require.NoError(t, err)
	w.js = js
	_, err = micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	return w
}

// created makes the event order.created of an order.
func created(order string) micro.Event {
	return micro.Event{
		ID: uuid.NewString(), Type: "order.created", Region: "us-west", Key: order, Time: time.Now(),
		Headers: map[string]string{"X-Request-Id": "r-" + order, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		Payload: []byte(`{"eventType":"order.created","orderId":"` + order + `","customerId":"c-1","restaurantId":"r-1",` +
			`"deliveryCity":"San Francisco","totalAmount":45.90,"estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:39.000Z"}`),
	}
}

// assigned makes the event order.assigned of an order.
func assigned(order string) micro.Event {
	return micro.Event{
		ID: uuid.NewString(), Type: "order.assigned", Region: "us-west", Key: order, Time: time.Now(),
		Payload: []byte(`{"eventType":"order.assigned","orderId":"` + order + `","customerId":"c-1","restaurantId":"r-1",` +
			`"deliveryPartnerId":"p-1","deliveryCity":"San Francisco","estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:40.000Z"}`),
	}
}

// orders makes created and assigned of n orders, interleaved so that an order's events are near each other.
func orders(n int) (events []micro.Event) {
	for i := range n {
		events = append(events, created(fmt.Sprint("o-", i)))
		if i%2 == 1 {
			events = append(events, assigned(fmt.Sprint("o-", i-1)), assigned(fmt.Sprint("o-", i)))
		}
	}
	return events
}

// publish puts events on the stream, as a relay does.
func (w *world) publish(events ...micro.Event) {
	w.t.Helper()
	_, err := micro.NewPublisher(w.js).PublishBatch(w.t.Context(), events)
	require.NoError(w.t, err)
	w.events = append(w.events, events...)
}

// start runs a bridge and gives what stops it; the test's end does, too.
func (w *world) start(change ...func(*bridge.Config)) (stop func()) {
	w.t.Helper()
	conn := w.nats.Conn("bridge")
	js, err := jetstream.New(conn)
	require.NoError(w.t, err)
	cfg := bridge.Config{
		Conn: conn, JS: js, RabbitURL: w.rabbit, Metrics: prometheus.NewRegistry(),
		Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	b := bridge.New(cfg)
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-done)
	})
	w.t.Cleanup(stop)
	<-b.Ready()
	return stop
}

// listener is a consumer outside: a queue on the exchange, and all that came.
type listener struct {
	t   testing.TB
	mu  sync.Mutex
	got []amqp.Delivery
}

// channel opens a connection of its own with a channel.
func (w *world) channel() *amqp.Channel {
	w.t.Helper()
	conn, err := amqp.Dial(w.rabbit)
	require.NoError(w.t, err)
	w.t.Cleanup(func() {
		if !conn.IsClosed() {
			require.NoError(w.t, conn.Close())
		}
	})
	channel, err := conn.Channel()
	require.NoError(w.t, err)
	return channel
}

// bind makes a durable quorum queue for all orders. It waits for the bridge to have declared the exchange.
func (w *world) bind(queue string) *amqp.Channel {
	w.t.Helper()
	w.awaitExchange()
	channel := w.channel()
	_, err := channel.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-queue-type": "quorum"})
	require.NoError(w.t, err)
	require.NoError(w.t, channel.QueueBind(queue, "order.*", "orders", false, nil))
	return channel
}

// listen binds a queue and consumes it.
func (w *world) listen(queue string) *listener {
	w.t.Helper()
	return w.consume(w.bind(queue), queue)
}

// awaitExchange waits until the exchange is there.
func (w *world) awaitExchange() {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		conn, err := amqp.Dial(w.rabbit)
		if err != nil {
			return false
		}
		channel, err := conn.Channel()
		if err == nil {
			err = channel.ExchangeDeclarePassive("orders", "topic", true, false, false, false, nil)
		}
		return conn.Close() == nil && err == nil
	}, 20*time.Second, 20*time.Millisecond)
}

// consume collects what is in a queue.
func (w *world) consume(channel *amqp.Channel, queue string) *listener {
	w.t.Helper()
	deliveries, err := channel.Consume(queue, "", true, false, false, false, nil)
	require.NoError(w.t, err)
	l := &listener{t: w.t}
	go func() {
		for d := range deliveries {
			l.mu.Lock()
			l.got = append(l.got, d)
			l.mu.Unlock()
		}
	}()
	return l
}

// deliveries gives what has come so far.
func (l *listener) deliveries() []amqp.Delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]amqp.Delivery(nil), l.got...)
}

// await waits until every one of the events has come, and gives the number of second copies. First copies must be in
// order for each order, and every copy the same.
func (l *listener) await(events []micro.Event) (copies int) {
	l.t.Helper()
	ids := make(map[string]micro.Event, len(events))
	for _, e := range events {
		ids[e.ID] = e
	}
	var first map[string]int
	require.Eventually(l.t, func() bool {
		first = map[string]int{}
		for i, d := range l.deliveries() {
			if _, again := first[d.MessageId]; !again {
				first[d.MessageId] = i
			}
		}
		return len(first) >= len(ids)
	}, 60*time.Second, 10*time.Millisecond, "%d events", len(ids))
	all := l.deliveries()
	for _, d := range all {
		e, ours := ids[d.MessageId]
		require.True(l.t, ours, "unknown message %s", d.MessageId)
		require.Equal(l.t, string(e.Payload), string(d.Body), "every copy has the same body")
	}
	last := map[string]int{}
	for _, e := range events {
		at := first[e.ID]
		before, seen := last[e.Key]
		require.True(l.t, !seen || before < at, "%s of %s overtook the event before", e.Type, e.Key)
		last[e.Key] = at
	}
	return len(all) - len(ids)
}

// natsMsg makes a message with headers.
func natsMsg(subject string, header nats.Header, data []byte) *nats.Msg {
	return &nats.Msg{Subject: subject, Header: header, Data: data}
}
