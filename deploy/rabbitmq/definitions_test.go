// Package rabbitmq_test loads the definitions into a real broker and tries what
// they allow and what they do not.
package rabbitmq_test

import (
	"context"
	"log/slog"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/bridge"
	"tiffin/local/testenv"
	"tiffin/micro"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The users of the definitions, with the passwords this test gives them.
const (
	bridgeUser, bridgePassword     = "tiffin-bridge", "b-secret"
	consumerUser, consumerPassword = "kitchen-display", "c-secret"
)

func TestDefinitions(t *testing.T) {
	t.Parallel()
	broker := testenv.OwnRabbitMQ(t)
	file, err := filepath.Abs("definitions.json")
	require.NoError(t, err)
	broker.Control("await_startup") // it takes connections a moment earlier
	broker.Control("import_definitions", file)
	for _, user := range []string{bridgeUser, consumerUser} {
		_, err := amqp.Dial(as(t, broker.URL, user, ""))
		require.ErrorIs(t, err, amqp.ErrCredentials, "nobody signs in before a password is set")
	}
	broker.Control("change_password", bridgeUser, bridgePassword)
	broker.Control("change_password", consumerUser, consumerPassword)
	bridgeURL, consumerURL := as(t, broker.URL, bridgeUser, bridgePassword), as(t, broker.URL, consumerUser, consumerPassword)

	publish := startBridge(t, bridgeURL)
	t.Run("the bridge relays, the consumer consumes", func(t *testing.T) {
		id := publish()
		deliveries, err := open(t, consumerURL).Consume("kitchen-display", "", false, false, false, false, nil)
		require.NoError(t, err)
		got := <-deliveries
		require.Equal(t, id, got.MessageId)
		require.NoError(t, got.Ack(false))
	})
	t.Run("what no queue takes is kept", func(t *testing.T) {
		admin := open(t, broker.URL)
		require.NoError(t, admin.QueueUnbind("kitchen-display", "order.*", "orders", nil))
		id := publish()
		require.Eventually(t, func() bool {
			got, found, err := admin.Get("orders.unrouted", true)
			return err == nil && found && got.MessageId == id
		}, 20*time.Second, 20*time.Millisecond)
		require.NoError(t, admin.QueueBind("kitchen-display", "order.*", "orders", false, nil))
	})
	t.Run("what is refused for ever is kept", func(t *testing.T) {
		id := publish()
		consumer := open(t, consumerURL)
		deliveries, err := consumer.Consume("kitchen-display", "", false, false, false, false, nil)
		require.NoError(t, err)
		got := <-deliveries
		require.Equal(t, id, got.MessageId)
		require.NoError(t, got.Reject(false))
		require.Eventually(t, func() bool {
			got, found, err := consumer.Get("kitchen-display.dead", true)
			return err == nil && found && got.MessageId == id
		}, 20*time.Second, 20*time.Millisecond)
	})
	t.Run("the bridge's user may nothing else", func(t *testing.T) { refuseAll(t, bridgeURL, bridgeMayNot()) })
	t.Run("the consumer may nothing else", func(t *testing.T) { refuseAll(t, consumerURL, consumerMayNot()) })
}

// attempt is something a user should not be able to do.
type attempt func(*amqp.Channel) error

// mayNot are what neither user may.
func mayNot() map[string]attempt {
	return map[string]attempt{
		"delete the exchange": func(c *amqp.Channel) error { return c.ExchangeDelete("orders", false, false) },
		"declare an exchange": func(c *amqp.Channel) error { return c.ExchangeDeclare("mine", "topic", true, false, false, false, nil) },
		"declare a queue": func(c *amqp.Channel) error {
			_, err := c.QueueDeclare("mine", true, false, false, false, nil)
			return err
		},
		"delete a queue": func(c *amqp.Channel) error {
			_, err := c.QueueDelete("kitchen-display", false, false, false)
			return err
		},
		"bind a queue":            func(c *amqp.Channel) error { return c.QueueBind("kitchen-display", "#", "orders", false, nil) },
		"unbind a queue":          func(c *amqp.Channel) error { return c.QueueUnbind("kitchen-display", "order.*", "orders", nil) },
		"read what is unrouted":   func(c *amqp.Channel) error { _, _, err := c.Get("orders.unrouted", true); return err },
		"publish into a queue":    func(c *amqp.Channel) error { return send(c, "", "kitchen-display") },
		"publish to the fallback": func(c *amqp.Channel) error { return send(c, "orders.unrouted", "order.created") },
	}
}

func bridgeMayNot() map[string]attempt {
	all := mayNot()
	all["read a consumer's queue"] = func(c *amqp.Channel) error { _, _, err := c.Get("kitchen-display", true); return err }
	all["empty a consumer's queue"] = func(c *amqp.Channel) error { _, err := c.QueuePurge("kitchen-display", false); return err }
	all["publish other types"] = func(c *amqp.Channel) error { return send(c, "orders", "order.status") }
	return all
}

func consumerMayNot() map[string]attempt {
	all := mayNot()
	all["publish an order"] = func(c *amqp.Channel) error { return send(c, "orders", "order.created") }
	all["take the bridge's lock"] = func(c *amqp.Channel) error {
		_, err := c.QueueDeclare("tiffin.bridge", false, false, true, false, nil)
		return err
	}
	return all
}

// refuseAll makes each attempt on a channel of its own and requires a 403.
func refuseAll(t *testing.T, url string, attempts map[string]attempt) {
	t.Helper()
	for name, try := range attempts {
		var refused *amqp.Error
		require.ErrorAs(t, try(open(t, url)), &refused, name)
		require.Equal(t, amqp.AccessRefused, refused.Code, name)
	}
}

// send publishes and waits until the broker has confirmed or refused.
func send(c *amqp.Channel, exchange, key string) error {
	closed := c.NotifyClose(make(chan *amqp.Error, 1))
	if err := c.Confirm(false); err != nil {
		return err
	}
	confirm, err := c.PublishWithDeferredConfirm(exchange, key, false, false, amqp.Publishing{})
	if err != nil {
		return err
	}
	select {
	case <-confirm.Done():
	case err := <-closed:
		return err
	}
	if confirm.Acked() {
		return nil
	}
	return <-closed
}

// startBridge runs a bridge until the test ends and gives what publishes one
// event and returns its id.
func startBridge(t *testing.T, rabbitURL string) func() string {
	t.Helper()
	server := testenv.NATS(t)
	js, err := jetstream.New(server.Conn("order"))
	require.NoError(t, err)
	_, err = micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	conn := server.Conn("bridge")
	own, err := jetstream.New(conn)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	b := bridge.New(bridge.Config{Conn: conn, JS: own, RabbitURL: rabbitURL, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return func() string {
		e := micro.Event{ID: uuid.NewString(), Type: "order.created", Region: "us-west", Key: "o-1", Time: time.Now(),
			Payload: []byte(`{"eventType":"order.created","orderId":"o-1","customerId":"c-1","restaurantId":"r-1",` +
				`"deliveryCity":"San Francisco","totalAmount":45.90,"estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:39.000Z"}`)}
		_, err := micro.NewPublisher(js).PublishBatch(t.Context(), []micro.Event{e})
		require.NoError(t, err)
		return e.ID
	}
}

// as gives the broker's URL for another user.
func as(t *testing.T, broker, user, password string) string {
	t.Helper()
	u, err := url.Parse(broker)
	require.NoError(t, err)
	u.User = url.UserPassword(user, password)
	return u.String()
}

// open gives a channel on a connection that ends with the test.
func open(t *testing.T, url string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	channel, err := conn.Channel()
	require.NoError(t, err)
	return channel
}
