package backup_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"tiffin/e2e/product"
	"tiffin/local/backing"
	"tiffin/local/rig"
	"tiffin/micro"
)

// ferret starts a document store on the restored database and returns its URL.
func ferret(t *testing.T, servers map[string]string) string {
	t.Helper()
	r, err := rig.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	number, err := r.Port(27000)
	require.NoError(t, err)
	server, err := backing.FerretDB(backing.FerretDBConfig{
		Name: "ferretdb", Port: number, Database: "restaurants", PostgresURL: servers["FERRETDB_POSTGRESQL_URL"],
	})
	require.NoError(t, err)
	_, err = r.Add(t.Context(), server)
	require.NoError(t, err)
	return server.URL
}

// eventsOf listens to the orders that are placed, as the operator does.
func eventsOf(t *testing.T, p *product.Product) *nats.Subscription {
	t.Helper()
	conn, err := micro.Connect(micro.ConnConfig{URL: p.Env["NATS_URL"], Role: "ops", Password: p.Env["NATS_OPS_PASSWORD"]})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	events, err := conn.SubscribeSync("events.order.created.>")
	require.NoError(t, err)
	require.NoError(t, conn.Flush())
	return events
}

// idsOf gives the id of each order's event, by order.
func idsOf(t *testing.T, events *nats.Subscription, stories []*story) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for range stories {
		msg, err := events.NextMsg(patience)
		require.NoError(t, err)
		ids[msg.Header.Get("ce-subject")] = msg.Header.Get("Nats-Msg-Id")
	}
	for _, s := range stories {
		require.Len(t, ids[s.order], 36)
	}
	return ids
}

// consume binds a queue to the exchange before the bridge comes, as the
// operator's definitions would have it.
func consume(t *testing.T, url string) <-chan amqp.Delivery {
	t.Helper()
	conn, err := amqp.Dial(url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	channel, err := conn.Channel()
	require.NoError(t, err)
	require.NoError(t, channel.ExchangeDeclare("orders", "topic", true, false, false, false, amqp.Table{"alternate-exchange": "orders.unrouted"}))
	queue, err := channel.QueueDeclare("", false, true, true, false, nil)
	require.NoError(t, err)
	require.NoError(t, channel.QueueBind(queue.Name, "order.created", "orders", false, nil))
	deliveries, err := channel.Consume(queue.Name, "", true, false, false, false, nil)
	require.NoError(t, err)
	return deliveries
}

// requireOnce requires that exactly the events with these ids come next, each
// once.
func requireOnce(t *testing.T, from <-chan amqp.Delivery, ids map[string]string) {
	t.Helper()
	var want, got []string
	for _, id := range ids {
		want = append(want, id)
		select {
		case d := <-from:
			got = append(got, d.MessageId)
		case <-time.After(patience):
			require.FailNow(t, "an event has not come", "%v of %v", got, ids)
		}
	}
	require.ElementsMatch(t, want, got)
}
