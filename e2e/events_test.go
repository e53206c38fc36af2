package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

// TestEventsAreAsDescribed reads /asyncapi.json with the stock parser and
// judges every real event of an order by it, bodies and headers, on NATS and on
// RabbitMQ.
func TestEventsAreAsDescribed(t *testing.T) {
	t.Parallel()
	judge := node(t, "asyncapi.mjs", fleet.Edge+"/asyncapi.json")
	parsed := judge.await(t, "parsed", nil)
	require.Empty(t, parsed.Data["errors"])
	require.Len(t, parsed.Data["channels"], 6)
	broker := node(t, "amqp.mjs", fleet.Env["RABBITMQ_URL"])
	broker.await(t, "bound", nil)
	inside := subscribe(t)

	id := acceptedOrder(t, broker)
	judged := 0
	for _, typ := range []string{"order.created", "order.status", "order.assigned", "delivery.accepted"} {
		msg := awaitEvent(t, inside, typ, id)
		headers := object{}
		for name := range msg.Header {
			headers[name] = msg.Header.Get(name)
		}
		require.Equal(t, msg.Header.Get("Nats-Msg-Id"), headers["ce-id"])
		require.Equal(t, "tiffin/us-east", headers["ce-source"])
		judge.ask(t, "events."+typ+".{region}", headers, json.RawMessage(msg.Data))
		judged++
		if strings.HasPrefix(typ, "order.") && typ != "order.status" {
			outside := broker.await(t, typ, func(d object) bool { return d["orderId"] == id })
			attributes := outside.Properties["headers"].(object)
			require.Equal(t, outside.Properties["messageId"], attributes["cloudEvents:id"])
			require.Equal(t, headers["ce-time"], attributes["cloudEvents:time"])
			require.Equal(t, headers["ce-source"], attributes["cloudEvents:source"])
			require.JSONEq(t, string(msg.Data), text(t, outside.Data), "the body is the same")
			judge.ask(t, typ, attributes, outside.Data)
			judged++
		}
	}
	judge.verdicts(t, judged)

	judge.ask(t, "order.created", object{}, object{"eventType": "order.created", "secret": 1})
	require.NotEmpty(t, judge.verdict(t, judged)["errors"], "the judge refuses what is wrong")
}

// acceptedOrder places an order in New York, waits for its rider, and lets both
// kitchen and rider say yes.
func acceptedOrder(t *testing.T, broker *transcript) string {
	t.Helper()
	where := place{"Buffalo", "us-east", 42.8864, -78.8784} // nobody else's: its rider gets the offer
	owner, customer, rider := register(t, "restaurant_owner", where.city), register(t, "customer", where.city), register(t, "delivery_partner", where.city)
	restaurant, items := openRestaurant(owner, where)
	order := customer.must(http.StatusCreated, "POST", "/orders", object{
		"restaurantId": restaurant, "deliveryAddress": "1 Broadway", "city": where.city,
		"latitude": where.lat, "longitude": where.lon, "items": []object{{"menuItemId": items[0], "quantity": 1}},
	})
	id := order["id"].(string)
	move(owner, id, "confirmed")
	online(rider, where)
	broker.await(t, "order.assigned", func(d object) bool { return d["orderId"] == id && d["deliveryPartnerId"] == rider.User["partnerId"] })
	rider.must(http.StatusOK, "POST", "/delivery/"+id+"/accept", nil)
	return id
}

// subscribe listens to all events as the operator does.
func subscribe(t *testing.T) *nats.Subscription {
	t.Helper()
	conn, err := micro.Connect(micro.ConnConfig{URL: fleet.Env["NATS_URL"], Role: "ops", Password: fleet.Env["NATS_OPS_PASSWORD"]})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	events, err := conn.SubscribeSync("events.>")
	require.NoError(t, err)
	require.NoError(t, conn.Flush())
	return events
}

// awaitEvent skips other events until the order's of that type comes. Types are
// asked for in the order in which they happen.
func awaitEvent(t *testing.T, from *nats.Subscription, typ, order string) *nats.Msg {
	t.Helper()
	for {
		msg, err := from.NextMsg(20 * time.Second)
		require.NoError(t, err, typ)
		if strings.HasPrefix(msg.Subject, "events."+typ+".") && msg.Header.Get("ce-subject") == order {
			return msg
		}
	}
}

// ask hands a message to the judge.
func (tr *transcript) ask(t *testing.T, channel string, headers object, payload any) {
	t.Helper()
	_, err := tr.stdin.Write([]byte(text(t, object{"channel": channel, "headers": headers, "payload": payload}) + "\n"))
	require.NoError(t, err)
}

// verdict waits for the judge's n-th answer, the first being 0.
func (tr *transcript) verdict(t *testing.T, n int) object {
	t.Helper()
	require.Eventually(t, func() bool { return len(tr.only("judged")) > n }, 20*time.Second, 5*time.Millisecond, "%s", tr)
	return tr.only("judged")[n]
}

// verdicts requires that the first n messages were as described.
func (tr *transcript) verdicts(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		verdict := tr.verdict(t, i)
		require.Empty(t, verdict["errors"], verdict["channel"])
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}
