package realtime_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/edge/realtime"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/services/tracking/trackingtest"
)

func TestWebSocketFollowsARide(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	customer, rider := dial(t, e, customerToken(t, tr)), dial(t, e, tokenOf(t, tr.Rider, auth.RoleRider))
	got := customer.subscribe(tr.OrderID, nil)
	require.Equal(t, subscribed{OrderID: tr.OrderID, Status: "ready", Seq: 2}, got)

	start := time.Now().Truncate(time.Millisecond)
	for i := range 3 {
		at := start.Add(time.Duration(i) * time.Second)
		res := rider.ask("rider-location-update", trackingtest.FixAt(tr, trackingtest.Kitchen, at))
		require.Nil(t, res.Error)
		seen := decode[tracking.Location](t, customer.until("location-updated"))
		require.True(t, seen.Timestamp.Equal(at))
	}
	// Who comes later sees at once where the rider is: in the answer, and as an event.
	second := dial(t, e, customerToken(t, tr))
	late := second.subscribe(tr.OrderID, nil)
	require.Equal(t, tr.OrderID, late.Location.OrderID)
	require.Equal(t, *late.Location, decode[tracking.Location](t, second.until("location-updated")))

	b.Ended(tr, order.Delivered)
	b.Publish(order.EventStatus, tr.OrderID, order.StatusEvent{
		EventType: order.EventStatus, OrderID: tr.OrderID, DeliveryPartnerID: &tr.Rider, To: order.Delivered, Seq: 3}, nil)
	require.Equal(t, order.Delivered, decode[order.Update](t, customer.until("order-updated")).Status)
	require.Nil(t, dial(t, e, customerToken(t, tr)).subscribe(tr.OrderID, nil).Location)
}

// TestSinceMissesNothing: every change after since comes once, in order, however the order moves meanwhile.
func TestSinceMissesNothing(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	const changes, clients = 60, 8
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range changes {
			advance(t, b, tr, order.Ready)
		}
	}()
	for i := range clients {
		c := dial(t, e, customerToken(t, tr))
		since := int64(i % 3)
		seen := c.subscribe(tr.OrderID, &since)
		require.GreaterOrEqual(t, seen.Seq, int64(2))
		for want := since + 1; want <= changes+2; want++ {
			require.Equal(t, want, decode[order.Update](t, c.until("order-updated")).Seq)
		}
	}
	<-done
}

func TestHandshakeRefusals(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	good := tokenOf(t, uuid.NewString(), auth.RoleCustomer)
	for _, tt := range []struct {
		name      string
		header    http.Header
		protocols []string
		status    int
		protocol  string
	}{
		{"no token", nil, nil, 101, ""},
		{"header", http.Header{"Authorization": {"Bearer " + good}}, nil, 101, ""},
		{"subprotocol", nil, []string{subprotocol, "bearer." + good}, 101, subprotocol},
		{"own page", http.Header{"Origin": {homePage}}, nil, 101, ""},
		{"other page", http.Header{"Origin": {"http://evil.example"}}, nil, 403, ""},
		{"null page", http.Header{"Origin": {"null"}}, nil, 403, ""},
		{"wrong token", http.Header{"Authorization": {"Bearer x"}}, nil, 401, ""},
		{"other scheme", http.Header{"Authorization": {"Basic " + good}}, nil, 401, ""},
		{"API key", http.Header{"X-Api-Key": {"tfk_x"}}, nil, 401, ""},
		{"wrong subprotocol", nil, []string{subprotocol, "bearer.x"}, 401, ""},
		{"expired", http.Header{"Authorization": {"Bearer " + tokenFor(t, "x", auth.RoleCustomer, -time.Minute)}}, nil, 401, ""},
	} {
		conn, res, err := dialWith(e, tt.header, tt.protocols)
		require.Equal(t, tt.status, res.StatusCode, tt.name)
		if tt.status == 101 {
			require.NoError(t, err, tt.name)
			require.Equal(t, tt.protocol, conn.Subprotocol(), tt.name)
			require.NoError(t, conn.Close())
			continue
		}
		require.Error(t, err, tt.name)
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"), tt.name)
	}
	res, err := http.Get("http://" + e.addr + "/ws")
	require.NoError(t, err)
	require.Equal(t, http.StatusUpgradeRequired, res.StatusCode)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	http.DefaultClient.CloseIdleConnections()
}

func TestFirstMessageAuthenticates(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	c := dial(t, e, "")
	require.Contains(t, c.ask("subscribe-order", tr.OrderID).Error.Message, "sign in")
	require.Contains(t, c.ask("get-location", tr.OrderID).Error.Message, "sign in")
	answer := c.ask("authenticate", map[string]string{"token": customerToken(t, tr)})
	require.Nil(t, answer.Error)
	require.JSONEq(t, `{"userId":"`+tr.Customer+`","role":"customer"}`, string(answer.Data))
	c.subscribe(tr.OrderID, nil)
	// Again as the same account renews the token; as another one is refused.
	require.Nil(t, c.ask("authenticate", map[string]string{"token": customerToken(t, tr)}).Error)
	other := tokenOf(t, uuid.NewString(), auth.RoleCustomer)
	require.NotNil(t, c.ask("authenticate", map[string]string{"token": other}).Error)

	wrong := dial(t, e, "")
	require.NotNil(t, wrong.ask("authenticate", map[string]string{"token": "x"}).Error)
	require.Equal(t, 4401, wrong.closed())
}

func TestTokenRunsOut(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	c := dial(t, e, tokenFor(t, tr.Customer, auth.RoleCustomer, 2*time.Second))
	c.subscribe(tr.OrderID, nil)
	require.Equal(t, 4401, c.closed())
	b.Quiet(t, tr.OrderID)
}

// TestAnonymousMayWatchWhereAllowed, at /ws: by the order's id, without a token, and nothing more than watch.
func TestAnonymousMayWatchWhereAllowed(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", func(c *realtime.Config) { c.Anonymous = true })
	tr := b.Assigned(delivery.Accepted)
	c := dial(t, e, "")
	c.subscribe(tr.OrderID, nil)
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
	c.until("location-updated")
	require.NotNil(t, c.ask("subscribe-order", uuid.NewString()).Error, "no such order")
	require.NotNil(t, c.ask("rider-location-update", trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now())).Error)

	strict := runEdge(t, b, "", nil)
	require.Contains(t, dial(t, strict, "").ask("subscribe-order", tr.OrderID).Error.Message, "sign in")
}

// TestRiderWhoLostTheOrderSeesNoMore: a rider may read an order while it is offered to them. When it goes to another,
// they see neither what becomes of it nor where the other one is.
func TestRiderWhoLostTheOrderSeesNoMore(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Offered)
	asked, customer := dial(t, e, tokenOf(t, tr.Rider, auth.RoleRider)), dial(t, e, customerToken(t, tr))
	asked.subscribe(tr.OrderID, nil)
	customer.subscribe(tr.OrderID, nil)
	publishRaw(t, b.Redis, tr.OrderID, fmt.Sprintf(
		`{"event":"order-updated","data":{"orderId":"%s","seq":3,"status":"ready","deliveryPartnerId":"%s"}}`, tr.OrderID, uuid.NewString()))
	customer.until("order-updated")
	publishRaw(t, b.Redis, tr.OrderID, position(tr.OrderID, time.Now(), 1))
	customer.until("location-updated")
	require.Equal(t, "error", asked.read().Event)
	require.Nil(t, asked.ask("unsubscribe-order", tr.OrderID).Error)
}

func TestWhoNeverSignsInIsSentAway(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	start := time.Now()
	e := runEdge(t, b, "", func(c *realtime.Config) {
		c.PingInterval = 200 * time.Millisecond
		c.Clock = func() time.Time { return start.Add(time.Since(start) * 100) } // twenty seconds in a fifth of one
	})
	require.Equal(t, 4401, dial(t, e, "").closed())
}

// TestFramesThatBreakTheRules: each with the code that says what was wrong.
func TestFramesThatBreakTheRules(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", func(c *realtime.Config) { c.Limits.Frames = 5 })
	for name, tt := range map[string]struct {
		send func(c *websocket.Conn) error
		code int
	}{
		"too big":  {func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, make([]byte, 16<<10+1)) }, 1009},
		"no UTF-8": {func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, []byte{0xff}) }, 1007},
		"binary":   {func(c *websocket.Conn) error { return c.WriteMessage(websocket.BinaryMessage, []byte("{}")) }, 1003},
		"too many": {func(c *websocket.Conn) error {
			for range 30 {
				if err := c.WriteMessage(websocket.TextMessage, []byte(`{"event":"x"}`)); err != nil {
					return err
				}
			}
			return nil
		}, 1008},
	} {
		c := dial(t, e, "")
		require.NoError(t, tt.send(c.conn), name)
		require.Equal(t, tt.code, c.closed(), name)
	}
}

// TestMessagesThatAreWrong: the socket goes on.
func TestMessagesThatAreWrong(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	c := dial(t, e, customerToken(t, tr))
	for _, text := range []string{
		``, `x`, `[]`, `{"event":5}`, `{"event":"x","id":{}}`, `{"event":"x","id":[1]}`, `{"event":"x","event":"y"}`,
		`{"event":"subscribe-order","data":{"orderId":"` + strings.ToUpper(tr.OrderID) + `"}}`, `{"event":"x","more":1}`,
		`{"event":"authenticate","data":"x"}`,
	} {
		require.NoError(t, c.conn.WriteMessage(websocket.TextMessage, []byte(text)))
		m := c.read()
		require.Equal(t, "error", m.Event, text)
		require.NotEmpty(t, decode[struct{ Message string }](t, m.Data).Message, text)
	}
	require.NoError(t, c.conn.WriteMessage(websocket.TextMessage, []byte(`{"event":"x","id":"a\"b"}`)))
	require.JSONEq(t, `"a\"b"`, string(c.read().ID), "an id comes back as it was")
	c.subscribe(tr.OrderID, nil)
}

func TestRoomsPerConnectionAreBounded(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	limit := func(c *realtime.Config) { c.Limits.Rooms = 2 }
	e := runEdge(t, b, "", limit)
	c := dial(t, e, tokenOf(t, uuid.NewString(), auth.RoleAdmin))
	trips := []trackingtest.Trip{b.Assigned(delivery.Accepted), b.Assigned(delivery.Accepted), b.Assigned(delivery.Accepted)}
	c.subscribe(trips[0].OrderID, nil)
	c.subscribe(trips[1].OrderID, nil)
	c.subscribe(trips[1].OrderID, nil) // the same again is not another one
	require.Contains(t, c.ask("subscribe-order", trips[2].OrderID).Error.Message, "too many orders")
	require.Nil(t, c.ask("unsubscribe-order", trips[0].OrderID).Error)
	c.subscribe(trips[2].OrderID, nil)

	free := runEdge(t, b, "", func(c *realtime.Config) { limit(c); c.Exempt = loopback })
	spared := dial(t, free, tokenOf(t, uuid.NewString(), auth.RoleAdmin))
	for _, tr := range trips {
		spared.subscribe(tr.OrderID, nil)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", func(c *realtime.Config) { c.Limits.PerAddress, c.Limits.PerUser = 3, 2 })
	raw := tokenOf(t, uuid.NewString(), auth.RoleCustomer)
	connected := func(n float64) {
		t.Helper()
		require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == n }, 5*time.Second, 5*time.Millisecond)
	}
	dial(t, e, raw)
	second := dial(t, e, raw)
	connected(2)
	require.Equal(t, 4429, dial(t, e, raw).closed(), "a third of one account")
	connected(2)
	dial(t, e, tokenOf(t, uuid.NewString(), auth.RoleCustomer))
	connected(3)
	_, res, err := dialWith(e, nil, nil)
	require.Error(t, err)
	require.Equal(t, http.StatusTooManyRequests, res.StatusCode, "a fourth of one address")
	require.NotEmpty(t, res.Header.Get("Retry-After"))

	require.NoError(t, second.conn.Close())
	connected(2)
	dial(t, e, raw)
}
