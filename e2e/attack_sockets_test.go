package e2e_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"
)

// sockets attacks over WebSocket and Socket.IO.
func (v *victim) sockets(t *testing.T) {
	t.Run("handshakes", func(t *testing.T) {
		for name, row := range map[string]struct {
			header http.Header
			want   int
		}{
			"a wrong token":         {http.Header{"Authorization": {"Bearer " + v.customer.Token + "x"}}, 401},
			"an ended session":      {http.Header{"Authorization": {"Bearer " + v.ended}}, 401},
			"a forged subprotocol":  {http.Header{"Sec-Websocket-Protocol": {"tiffin, bearer." + v.forge(object{"alg": "none"}, nil, nil, "")}}, 401},
			"an API key":            {http.Header{"X-Api-Key": {v.keyFor(v.customer)}}, 401},
			"another site's page":   {http.Header{"Origin": {"https://evil.example"}}, 403},
			"a page like ours":      {http.Header{"Origin": {fleet.Edge + ".evil.example"}}, 403},
			"a page without a name": {http.Header{"Origin": {"null"}}, 403},
		} {
			_, res, err := websocket.DefaultDialer.Dial(wsURL(), row.header)
			require.Error(t, err, name)
			require.Equal(t, row.want, res.StatusCode, name)
		}
	})
	for name, row := range map[string]struct {
		send func(c *websocket.Conn) error
		want int
	}{
		"a long frame":         {func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, make([]byte, 17<<10)) }, 1009},
		"a frame of 2^62":      {rawFrame(0x81, 127, 1<<62), 1009},
		"a bomb":               {bomb, 1009},
		"pieces without end":   {pieces, 1009},
		"an unmasked frame":    {func(c *websocket.Conn) error { return written(c, []byte{0x81, 0x02, 'h', 'i'}) }, 1002},
		"reserved bits":        {rawFrame(0xb1, 0, 0), 1002},
		"an unknown opcode":    {rawFrame(0x83, 0, 0), 1002},
		"a long ping":          {rawFrame(0x89, 126, 200), 1002},
		"a piece of nothing":   {rawFrame(0x80, 0, 0), 1002},
		"what is no text":      {func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, []byte{'"', 0xff, '"'}) }, 1007},
		"a reason of one byte": {rawFrame(0x88, 1, 0), 1002},
	} {
		t.Run(name, func(t *testing.T) {
			c := v.socket(t, v.stranger)
			require.NoError(t, row.send(c))
			var closed *websocket.CloseError
			for closed == nil {
				_, _, err := c.ReadMessage()
				if err != nil {
					require.ErrorAs(t, err, &closed)
				}
			}
			require.Equal(t, row.want, closed.Code)
		})
	}
	t.Run("messages", func(t *testing.T) { v.messages(t) })
	t.Run("socket.io", func(t *testing.T) {
		for _, row := range []hostile{
			{name: "a session of another", method: "GET", path: "/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", want: 400},
			{name: "a session of operators", method: "GET", path: "/socket.io/?EIO=4&transport=polling&sid[$ne]=x&sid=*", want: 400},
			{name: "an old protocol", method: "GET", path: "/socket.io/?EIO=3&transport=polling", want: 400},
			{name: "another transport", method: "GET", path: "/socket.io/?EIO=4&transport=flash", want: 400},
			{name: "another site's page", method: "GET", path: "/socket.io/?EIO=4&transport=polling", want: 403,
				headers: map[string]string{"Origin": "https://evil.example"}},
			{name: "a method that is none", method: "DELETE", path: "/socket.io/?EIO=4&transport=polling", want: 400},
		} {
			req, err := http.NewRequestWithContext(t.Context(), row.method, fleet.Edge+row.path, nil)
			require.NoError(t, err)
			for name, value := range row.headers {
				req.Header.Set(name, value)
			}
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, row.want, res.StatusCode, row.name)
			require.NotRegexp(t, internals, string(body), row.name)
		}
	})
}

func wsURL() string { return "ws" + strings.TrimPrefix(fleet.Edge, "http") + "/ws" }

// socket connects as somebody, with compression.
func (v *victim) socket(t *testing.T, who *person) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{EnableCompression: true, HandshakeTimeout: 10 * time.Second}
	c, res, err := dialer.Dial(wsURL(), http.Header{"Authorization": {"Bearer " + who.Token}})
	require.NoError(t, err)
	require.Contains(t, res.Header.Get("Sec-Websocket-Extensions"), "permessage-deflate")
	c.EnableWriteCompression(false)
	t.Cleanup(func() { _ = c.Close() }) // closed by the edge already, in most of these
	require.NoError(t, c.SetReadDeadline(time.Now().Add(20*time.Second)))
	return c
}

// bomb is a few kilobytes that unpack to four megabytes.
func bomb(c *websocket.Conn) error {
	c.EnableWriteCompression(true)
	return c.WriteMessage(websocket.TextMessage, make([]byte, 4<<20))
}

// pieces is a message that never ends, each piece a good one.
func pieces(c *websocket.Conn) error {
	header := byte(0x01)
	for range 20 {
		frame := append([]byte{header, 0x80 | 126, 0x04, 0x00, 0, 0, 0, 0}, make([]byte, 1024)...)
		if err := written(c, frame); err != nil {
			return nil // it was cut off before the end, which is the answer
		}
		header = 0x00
	}
	return nil
}

// rawFrame writes a masked frame's head, with the length in its longer forms when short says so, and up to 200 bytes of it.
func rawFrame(first, short byte, long uint64) func(*websocket.Conn) error {
	frame := []byte{first, 0x80 | short}
	size := uint64(short)
	switch short {
	case 126:
		frame, size = binary.BigEndian.AppendUint16(frame, uint16(long)), long
	case 127:
		frame, size = binary.BigEndian.AppendUint64(frame, long), long
	}
	frame = append(frame, 0, 0, 0, 0) // a mask that changes nothing
	frame = append(frame, make([]byte, min(size, 200))...)
	return func(c *websocket.Conn) error { return written(c, frame) }
}

func written(c *websocket.Conn, frame []byte) error {
	_, err := c.NetConn().Write(frame)
	return err
}

// messages are well-formed and ask for too much: each is answered with an error and nothing else.
func (v *victim) messages(t *testing.T) {
	c := v.socket(t, v.stranger)
	for i, row := range []struct {
		event string
		data  any
	}{
		{"subscribe-order", object{"orderId": v.order}}, {"subscribe-order", v.order}, {"subscribe-order", "*"},
		{"subscribe-order", object{"orderId": object{"$ne": nil}}}, {"subscribe-order", object{"orderId": v.order, "since": -1}},
		{"subscribe-order", "events.order.>"}, {"get-location", v.order}, {"get-location", "tracking:order:*"},
		{"rider-location-update", object{"orderId": v.order, "deliveryPartnerId": v.stranger.ID(), "latitude": 1, "longitude": 1}},
		{"rider-location-update", object{"orderId": v.order, "latitude": 1e308, "longitude": "x"}},
		{"order-updated", object{"orderId": v.order, "status": "delivered"}}, {"location-updated", object{"orderId": v.order}},
		{"authenticate", object{"token": "x"}}, {"__proto__", object{}}, {"", nil},
	} {
		id := fmt.Sprint(i)
		c := c
		if row.event == "authenticate" {
			c = v.socket(t, v.stranger) // may be closed for it
		}
		require.NoError(t, c.WriteJSON(object{"event": row.event, "data": row.data, "id": id}))
		_, raw, err := c.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			require.Equal(t, "authenticate", row.event)
			require.Equal(t, 4401, closed.Code)
			continue
		}
		require.NoError(t, err)
		var answer object
		require.NoError(t, json.Unmarshal(raw, &answer))
		require.Contains(t, string(raw), `"message"`, "%s: an error", row.event)
		require.NotContains(t, string(raw), `"seq"`)
		require.NotRegexp(t, internals, string(raw))
	}
	require.NoError(t, c.WriteJSON(object{"event": "subscribe-order", "data": object{"orderId": v.order}, "id": "again"}))
	_, raw, err := c.ReadMessage()
	require.NoError(t, err, "the socket is still served")
	require.Contains(t, string(raw), "again")
}

// nats attacks the bus as anybody on this machine can: without a password, as an observer.
func (v *victim) nats(t *testing.T) {
	observer, err := nats.Connect(fleet.Env["NATS_URL"], nats.MaxReconnects(0))
	require.NoError(t, err)
	defer observer.Close()
	denied := make(chan error, 100)
	observer.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err })
	publish := func(subject string) func() error {
		return func() error { return observer.PublishRequest(subject, "_INBOX.x", []byte(`{"id":"`+v.order+`"}`)) }
	}
	listen := func(subject, queue string) func() error {
		return func() error {
			_, err := observer.QueueSubscribe(subject, queue, func(*nats.Msg) {})
			return err
		}
	}
	for name, try := range map[string]func() error{
		"read an order": publish("order.get"), "move an order": publish("order.status"), "make an administrator": publish("auth.admin-create"),
		"make a key": publish("auth.key-create"), "forge an entry of the audit log": publish("auth.note"),
		"forge an event": publish("events.order.created.us-west"), "forge a dead letter": publish("dead.bridge.events.order.created.us-west"),
		"forge an answer": publish("_INBOX_edge.x"), "delete the stream": publish("$JS.API.STREAM.DELETE.EVENTS"),
		"purge the stream": publish("$JS.API.STREAM.PURGE.EVENTS"), "read the stream": publish("$JS.API.STREAM.MSG.GET.EVENTS"),
		"have events delivered": publish("$JS.API.CONSUMER.CREATE.EVENTS.x"), "acknowledge for the bridge": publish("$JS.ACK.EVENTS.bridge.1.1.1.1.0"),
		"ask the server": publish("$SYS.REQ.SERVER.PING"),
		"hear events":    listen("events.>", ""), "hear everything": listen(">", ""), "hear passwords": listen("auth.login", ""),
		"answer for a service": listen("order.get", "q"), "answer discovery": listen("$SRV.PING", ""), "hear answers": listen("_INBOX_edge.>", ""),
	} {
		require.NoError(t, try(), name)
		require.NoError(t, observer.Flush())
		select {
		case err := <-denied:
			require.ErrorIs(t, err, nats.ErrPermissionViolation, name)
		case <-time.After(5 * time.Second):
			t.Fatalf("%s: not refused", name)
		}
	}
	for user, password := range map[string]string{"ops": "", "order": "order", "sys": "sys", "edge": "tiffin-demo"} {
		_, err := nats.Connect(fleet.Env["NATS_URL"], nats.UserInfo(user, password), nats.MaxReconnects(0))
		require.ErrorIs(t, err, nats.ErrAuthorization, user)
	}
	_, err = observer.Request("$SRV.PING.order", nil, 10*time.Second)
	require.NoError(t, err, "what an observer may do still works")
}

// amqp attacks the broker: from outside, and from inside with messages of one's own, which nobody in the fleet believes.
func (v *victim) amqp(t *testing.T) {
	broker := fleet.Env["RABBITMQ_URL"]
	host := broker[strings.LastIndex(broker, "@")+1:]
	for _, user := range []string{"guest:guest", "tiffin:tiffin", "tiffin-bridge:", "admin:admin"} {
		_, err := amqp.Dial("amqp://" + user + "@" + host)
		require.Error(t, err, user)
	}
	inside, err := amqp.Dial(broker)
	require.NoError(t, err)
	defer func() { require.NoError(t, inside.Close()) }()
	channel, err := inside.Channel()
	require.NoError(t, err)
	require.NoError(t, channel.Confirm(false))
	for _, key := range []string{"order.created", "order.assigned", "order.status"} {
		forged, err := channel.PublishWithDeferredConfirm("orders", key, false, false, amqp.Publishing{
			ContentType: "application/json", Type: key, AppId: "tiffin", MessageId: v.order,
			Body: []byte(`{"eventType":"` + key + `","orderId":"` + v.order + `","deliveryPartnerId":"` + v.stranger.ID() + `","to":"delivered"}`)})
		require.NoError(t, err)
		require.True(t, forged.Wait(), "the order is looked at when the attack is over")
	}
	_, err = channel.QueueDeclarePassive("orders.unrouted", false, false, false, false, nil)
	require.NoError(t, err)
}
