package main_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"tiffin/bridge"
	"tiffin/micro"
)

// TestBridgeToolsOnARunningFleet uses every command of `tiffin bridge` as an
// operator does, beside the fleet in the same folder.
func TestBridgeToolsOnARunningFleet(t *testing.T) {
	t.Parallel()
	began := time.Now()
	f := newFleet(t, "RATE_LIMIT_ORDERS=0", "RATE_LIMIT_GENERAL=0")
	f.up(t)
	orders := f.listen(t)
	var sent []amqp.Delivery
	for range 3 {
		f.placeOrder(t)
		sent = append(sent, next(t, orders))
	}
	js := f.jetStream(t)
	f.agree(t, js)

	t.Run("replay keeps ids and bodies", func(t *testing.T) {
		require.Contains(t, f.tool(t, 0, "replay", "--since", began.Format(time.RFC3339), "--type", "order.created"), "3 events sent again")
		for _, first := range sent {
			again := next(t, orders)
			require.Equal(t, first.MessageId, again.MessageId)
			require.Equal(t, string(first.Body), string(again.Body))
		}
		later := time.Now().Add(time.Hour).Format(time.RFC3339)
		require.Contains(t, f.tool(t, 0, "replay", "--since", later), "0 events")
		f.tool(t, 1, "replay", "--since", later, "--type", "order.status")
	})
	t.Run("dead letters are listed and retried", func(t *testing.T) {
		bad := micro.Event{ID: uuid.NewString(), Type: "order.created", Region: "us-west", Key: "o", Payload: []byte(`{}`), Time: time.Now()}
		_, err := micro.NewPublisher(js).PublishBatch(t.Context(), []micro.Event{bad})
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(f.dead(t)) == 1 }, patience, tick)
		require.Contains(t, f.tool(t, 1, "dead", "retry", number(f.dead(t)[0])), "0 events", "it is as bad as before")
		good := bury(t, js, sent[0])
		letters := f.dead(t)
		require.Equal(t, bad.ID, letters[0].ID)
		require.Contains(t, letters[0].Reason, "a field is missing")
		require.Contains(t, f.tool(t, 0, "dead", "ls"), "a field is missing")
		require.Contains(t, f.tool(t, 0, "dead", "retry", number(letters[1])), "1 events sent")
		require.Equal(t, good, next(t, orders).MessageId)
		require.Len(t, f.dead(t), 1, "what went out is removed")
	})
	t.Run("reconcile finds an event that was removed", func(t *testing.T) {
		f.agree(t, js)
		stream, err := js.Stream(t.Context(), micro.StreamEvents)
		require.NoError(t, err)
		lost, err := stream.GetLastMsgForSubject(t.Context(), "events.order.created.us-west")
		require.NoError(t, err)
		for seq := uint64(1); lost.Header.Get("Nats-Msg-Id") != sent[0].MessageId; seq++ {
			lost, err = stream.GetMsg(t.Context(), seq)
			require.NoError(t, err)
		}
		require.NoError(t, stream.DeleteMsg(t.Context(), lost.Sequence))
		require.Contains(t, f.tool(t, 1, "reconcile"), "missing  "+sent[0].MessageId)
		var report bridge.Report
		require.NoError(t, json.Unmarshal([]byte(f.tool(t, 1, "reconcile", "--json")), &report))
		require.Len(t, report.Findings, 1)
		require.Equal(t, bridge.Missing, report.Findings[0].Problem)
		require.Equal(t, "order.created", report.Findings[0].Type)
	})
}

// tool runs `tiffin bridge …` and gives what it prints.
func (f *fleet) tool(t *testing.T, code int, args ...string) string {
	t.Helper()
	p := start(t, f.vars, append([]string{"bridge"}, args...)...)
	require.Equal(t, code, p.exit(t), "%s%s", p.out, p.err)
	require.Equal(t, code != 0, p.err.String() != "")
	return p.out.String()
}

// agree requires that reconcile finds nothing, and that it has seen the orders.
func (f *fleet) agree(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	var report bridge.Report
	require.NoError(t, json.Unmarshal([]byte(f.tool(t, 0, "reconcile", "--json")), &report))
	require.GreaterOrEqual(t, report.Rows, 3)
	require.GreaterOrEqual(t, report.Relayed, 3)
	stream, err := js.Stream(t.Context(), micro.StreamEvents)
	require.NoError(t, err)
	require.LessOrEqual(t, report.Stream, int(stream.CachedInfo().State.Msgs))
	require.Contains(t, f.tool(t, 0, "reconcile"), "outboxes")
}

// dead lists the bridge's dead letters; what is poison for the bridge may be so
// for the fleet's own consumers, too.
func (f *fleet) dead(t *testing.T) []bridge.DeadLetter {
	t.Helper()
	var list struct{ Letters []bridge.DeadLetter }
	require.NoError(t, json.Unmarshal([]byte(f.tool(t, 0, "dead", "ls", "--json")), &list))
	return slices.DeleteFunc(list.Letters, func(l bridge.DeadLetter) bool { return l.Consumer != "bridge" })
}

// number is how a letter is named on the command line.
func number(l bridge.DeadLetter) string { return strconv.FormatUint(l.Seq, 10) }

// bury puts a good event among the dead letters, as a bridge that knew less
// would have done, and gives its id.
func bury(t *testing.T, js jetstream.JetStream, like amqp.Delivery) string {
	t.Helper()
	id, subject := uuid.NewString(), "events.order.created.us-west"
	_, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: "dead.bridge." + subject, Data: like.Body, Header: nats.Header{
		micro.HeaderDeadConsumer: {"bridge"}, micro.HeaderDeadID: {id}, micro.HeaderDeadSubject: {subject},
		micro.HeaderDeadReason: {"unknown field"},
	}})
	require.NoError(t, err)
	return id
}

// jetStream connects as ops.
func (f *fleet) jetStream(t *testing.T) jetstream.JetStream {
	t.Helper()
	conn, err := micro.Connect(micro.ConnConfig{URL: f.env["NATS_URL"], Role: "ops", Password: f.env["NATS_OPS_PASSWORD"]})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	return js
}

// listen consumes order.created with a queue of its own.
func (f *fleet) listen(t *testing.T) <-chan amqp.Delivery {
	t.Helper()
	conn, err := amqp.Dial(f.env["RABBITMQ_URL"])
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	channel, err := conn.Channel()
	require.NoError(t, err)
	queue, err := channel.QueueDeclare("", false, true, true, false, nil)
	require.NoError(t, err)
	require.NoError(t, channel.QueueBind(queue.Name, "order.created", "orders", false, nil))
	deliveries, err := channel.Consume(queue.Name, "", true, false, false, false, nil)
	require.NoError(t, err)
	return deliveries
}

// next waits for a delivery.
func next(t *testing.T, from <-chan amqp.Delivery) amqp.Delivery {
	t.Helper()
	select {
	case d := <-from:
		return d
	case <-time.After(patience):
		require.Fail(t, "nothing came")
		return amqp.Delivery{}
	}
}

// placeOrder lets the demo customer order the first dish of a kitchen in San
// Francisco.
func (f *fleet) placeOrder(t *testing.T) {
	t.Helper()
	var found struct {
		Token       string
		Restaurants []struct {
			ID                  string
			Latitude, Longitude float64
		}
		Items []struct{ ID string }
	}
	ask := func(method, path string, body any, want int) {
		code, err := f.callAs(t.Context(), found.Token, method, path, body, &found)
		require.NoError(t, err)
		require.Equal(t, want, code, path)
	}
	ask(http.MethodPost, "/auth/login", map[string]string{"email": "customer@demo.tiffin", "password": "tiffin-demo"}, http.StatusOK)
	ask(http.MethodGet, "/restaurants?city=San+Francisco&limit=1", nil, http.StatusOK)
	kitchen := found.Restaurants[0]
	ask(http.MethodGet, "/restaurants/"+kitchen.ID+"/menu", nil, http.StatusOK)
	ask(http.MethodPost, "/orders", map[string]any{
		"restaurantId": kitchen.ID, "deliveryAddress": "1 Market St", "city": "San Francisco",
		"latitude": kitchen.Latitude, "longitude": kitchen.Longitude,
		"items": []map[string]any{{"menuItemId": found.Items[0].ID, "quantity": 1}},
	}, http.StatusCreated)
}
