package realtime_test

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/edge/realtime"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/services/tracking/trackingtest"
)

// ack is the shape of every acknowledgement.
type ack struct {
	Data  json.RawMessage
	Error *struct{ Message string }
}

// subscribed is the data of the acknowledgement of subscribe-order.
type subscribed struct {
	OrderID  string
	Status   string
	Seq      int64
	Location *tracking.Location
}

// modes are the ways in which the stock client connects.
var modes = map[string]map[string]any{
	"default":         {},
	"websocket":       {"transports": []string{"websocket"}},
	"polling":         {"transports": []string{"polling"}},
	"websocket first": {"transports": []string{"websocket", "polling"}},
}

// TestStockClient goes through the whole contract with socket.io-client in each of its modes.
func TestStockClient(t *testing.T) {
	t.Parallel()
	for name, options := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := trackingtest.New(t, trackingtest.Options{})
			e := runEdge(t, b, "", nil)
			tr := b.Assigned(delivery.Accepted)
			customer, rider := startNode(t), startNode(t)
			customer.connect(e, customerToken(t, tr), options)
			rider.connect(e, tokenOf(t, tr.Rider, auth.RoleRider), options)
			if name == "default" {
				customer.becomes("websocket")
			}

			// Nothing to see yet.
			got := decode[ack](t, customer.emit("subscribe-order", map[string]any{"orderId": tr.OrderID}))
			require.Nil(t, got.Error)
			require.JSONEq(t, `{"orderId":"`+tr.OrderID+`","status":"ready","seq":2}`, string(got.Data))
			got = decode[ack](t, customer.emit("get-location", tr.OrderID))
			require.NotEmpty(t, got.Error.Message)

			// The rider moves, the customer sees it.
			start := time.Now()
			for i := range 5 {
				fix := trackingtest.FixAt(tr, trackingtest.Kitchen, start.Add(time.Duration(i)*time.Millisecond))
				*fix.Latitude += float64(i) / 1e5
				sent := decode[ack](t, rider.emit("rider-location-update", fix))
				require.Nil(t, sent.Error)
				require.True(t, decode[tracking.LocationResponse](t, sent.Data).Accepted)
				seen := decode[tracking.Location](t, customer.until("location-updated"))
				require.Equal(t, *fix.Latitude, seen.Latitude)
				require.NotNil(t, seen.EtaMinutes)
			}
			late := decode[ack](t, rider.emit("rider-location-update", trackingtest.FixAt(tr, trackingtest.Kitchen, start)))
			res := decode[tracking.LocationResponse](t, late.Data)
			require.False(t, res.Accepted)
			require.Equal(t, tracking.ReasonLate, res.Reason)

			got = decode[ack](t, customer.emit("get-location", map[string]any{"orderId": tr.OrderID}))
			require.Nil(t, got.Error)
			where := decode[map[string]any](t, got.Data)
			require.Len(t, where, 5)
			require.Equal(t, tr.OrderID, where["orderId"])
			require.Equal(t, tr.Rider, where["deliveryPartnerId"])

			// The order moves on.
			advance(t, b, tr, order.PickedUp)
			u := decode[order.Update](t, customer.until("order-updated"))
			require.Equal(t, order.PickedUp, u.Status)
			require.EqualValues(t, 3, u.Seq)

			// Errors without an acknowledgement arrive as an event.
			customer.do(map[string]any{"cmd": "tell", "event": "rider-location-update", "args": []any{map[string]any{}}})
			require.NotEmpty(t, decode[struct{ Message string }](t, customer.until("error")).Message)

			// After leaving, nothing more comes.
			require.Nil(t, decode[ack](t, customer.emit("unsubscribe-order", map[string]any{"orderId": tr.OrderID})).Error)
			b.Quiet(t, tr.OrderID)

			customer.do(map[string]any{"cmd": "disconnect"})
			require.JSONEq(t, `"io client disconnect"`, string(customer.until("disconnect")))
			require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == 1 }, 5*time.Second, 10*time.Millisecond)
			customer.do(map[string]any{"cmd": "connect"})
			customer.until("connect")
		})
	}
}

// TestStockClientAfterRestart: the edge goes away and comes back while the order is delivered. The client reconnects by
// itself and asks for what it missed.
func TestStockClientAfterRestart(t *testing.T) {
	t.Parallel()
	for name, options := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := trackingtest.New(t, trackingtest.Options{})
			e := runEdge(t, b, "", nil)
			tr := b.Assigned(delivery.PickedUp)
			n := startNode(t)
			n.connect(e, customerToken(t, tr), options)
			first := decode[subscribed](t, decode[ack](t, n.emit("subscribe-order", tr.OrderID)).Data)

			e.stop()
			require.Contains(t, []string{"transport close", "transport error"}, decode[string](t, n.until("disconnect")))
			b.Advance(tr, order.PickedUp)
			b.Ended(tr, order.Delivered)
			runEdge(t, b, e.addr, nil)
			n.until("connect")

			again := decode[subscribed](t, decode[ack](t, n.emit("subscribe-order",
				map[string]any{"orderId": tr.OrderID, "since": first.Seq})).Data)
			require.Equal(t, "delivered", again.Status)
			for seq := first.Seq + 1; seq <= again.Seq; seq++ {
				require.Equal(t, seq, decode[order.Update](t, n.until("order-updated")).Seq)
			}
		})
	}
}

// TestStockClientAfterSleep: the client's machine sleeps until the edge has given it up, and the order is delivered
// meanwhile. Awake again, the client finds out by itself and misses nothing.
func TestStockClientAfterSleep(t *testing.T) {
	t.Parallel()
	for name, options := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := trackingtest.New(t, trackingtest.Options{})
			e := runEdge(t, b, "", func(c *realtime.Config) { c.PingInterval, c.PingTimeout = time.Second, 500*time.Millisecond })
			tr := b.Assigned(delivery.PickedUp)
			n := startNode(t)
			n.connect(e, customerToken(t, tr), options)
			first := decode[subscribed](t, decode[ack](t, n.emit("subscribe-order", tr.OrderID)).Data)

			n.signal(syscall.SIGSTOP)
			require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == 0 }, 20*time.Second, 10*time.Millisecond)
			b.Ended(tr, order.Delivered)
			n.signal(syscall.SIGCONT)
			n.until("disconnect")
			n.until("connect")
			n.emit("subscribe-order", map[string]any{"orderId": tr.OrderID, "since": first.Seq})
			require.Equal(t, order.Delivered, decode[order.Update](t, n.until("order-updated")).Status)
		})
	}
}

func TestStockClientAuthentication(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr, other := b.Assigned(delivery.Accepted), b.Assigned(delivery.Accepted)
	for name, token := range map[string]string{
		"wrong": "x.y.z", "expired": tokenFor(t, tr.Customer, auth.RoleCustomer, -time.Second), "none": "",
	} {
		n := startNode(t)
		n.open(e, token, nil)
		require.NotEmpty(t, decode[string](t, n.until("connect_error")), name)
	}

	stranger := startNode(t)
	stranger.connect(e, customerToken(t, other), nil)
	for _, event := range []string{"subscribe-order", "get-location"} {
		got := decode[ack](t, stranger.emit(event, tr.OrderID))
		require.Equal(t, "order not found", got.Error.Message, event)
	}
	fix := trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now())
	require.NotNil(t, decode[ack](t, stranger.emit("rider-location-update", fix)).Error)
	b.Quiet(t, tr.OrderID)

	// A header does where auth cannot be set, and a token that runs out ends the connection for good.
	n := startNode(t)
	brief := tokenFor(t, tr.Customer, auth.RoleCustomer, 2*time.Second)
	n.connect(e, "", map[string]any{"extraHeaders": map[string]string{"Authorization": "Bearer " + brief}})
	require.Nil(t, decode[ack](t, n.emit("subscribe-order", tr.OrderID)).Error)
	require.Contains(t, decode[struct{ Message string }](t, n.until("error")).Message, "sign in")
	require.Equal(t, "io server disconnect", decode[string](t, n.until("disconnect")))
}

func TestStockClientAnonymous(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", func(c *realtime.Config) { c.Anonymous = true })
	tr := b.Assigned(delivery.Accepted)
	n := startNode(t)
	n.connect(e, "", nil)
	require.Nil(t, decode[ack](t, n.emit("subscribe-order", tr.OrderID)).Error)
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
	n.until("location-updated")
	fix := trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now())
	require.NotNil(t, decode[ack](t, n.emit("rider-location-update", fix)).Error, "updates always need the rider's token")
}

// TestStockClientMisuse: what a client may send by mistake is answered, and the connection goes on.
func TestStockClientMisuse(t *testing.T) {
	t.Parallel()
	for name, options := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := trackingtest.New(t, trackingtest.Options{})
			e := runEdge(t, b, "", nil)
			tr := b.Assigned(delivery.Accepted)
			n := startNode(t)
			n.connect(e, customerToken(t, tr), options)
			for _, args := range [][]any{
				{}, {nil}, {1}, {"x"}, {map[string]any{}}, {map[string]any{"orderId": 5}}, {[]any{tr.OrderID}},
				{map[string]any{"orderId": tr.OrderID, "extra": true}}, {map[string]any{"orderId": tr.OrderID, "since": -1}},
			} {
				require.NotNil(t, decode[ack](t, n.emit("subscribe-order", args...)).Error, args)
			}
			require.Contains(t, decode[ack](t, n.emit("no-such-event")).Error.Message, "no such event")
			n.acks++
			n.do(map[string]any{"cmd": "binary", "id": n.acks, "event": "get-location"})
			refused := n.next(func(r report) bool { return r.Ack == n.acks }, "ack of binary")
			require.Contains(t, decode[ack](t, refused.Data).Error.Message, "binary")
			require.Nil(t, decode[ack](t, n.emit("subscribe-order", tr.OrderID)).Error)

			lost := startNode(t)
			lost.do(map[string]any{"cmd": "io", "url": "http://" + e.addr + "/nowhere", "options": options})
			require.Equal(t, "Invalid namespace", decode[string](t, lost.until("connect_error")))
		})
	}
}
