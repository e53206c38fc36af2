package realtime_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/stretchr/testify/require"

	"tiffin/services/edge/realtime"
)

// wsClient is a client at /ws, of the library most Go programs use.
type wsClient struct {
	t    testing.TB
	conn *websocket.Conn
	ids  int
}

// wsMessage is what a server sends at /ws: an event, or the answer to an id.
type wsMessage struct {
	Event string
	ID    json.RawMessage
	Data  json.RawMessage
	Error *struct{ Message string }
}

// dial connects with the token in the header; the connection ends with the test.
func dial(t testing.TB, e *edge, token string) *wsClient {
	t.Helper()
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	c, res, err := dialWith(e, header, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
	t.Cleanup(func() { _ = c.Close() }) // the server may have closed it first
	return &wsClient{t: t, conn: c}
}

func dialWith(e *edge, header http.Header, protocols []string) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: 5 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 1024}
	return d.Dial("ws://"+e.addr+"/ws", header)
}

// read gives the next message.
func (c *wsClient) read() wsMessage {
	c.t.Helper()
	require.NoError(c.t, c.conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	var m wsMessage
	require.NoError(c.t, c.conn.ReadJSON(&m))
	return m
}

// until gives the data of the next event of that name, passing over others.
func (c *wsClient) until(event string) json.RawMessage {
	c.t.Helper()
	for {
		if m := c.read(); m.Event == event {
			return m.Data
		}
	}
}

// ask sends an event and gives its answer; it must be the next message but for positions and changes.
func (c *wsClient) ask(event string, data any) wsMessage {
	c.t.Helper()
	c.ids++
	require.NoError(c.t, c.conn.WriteJSON(map[string]any{"event": event, "data": data, "id": c.ids}))
	for {
		m := c.read()
		if m.Event == "" {
			require.Equal(c.t, c.ids, decode[int](c.t, m.ID))
			return m
		}
	}
}

// subscribe follows an order, and fails the test when it may not.
func (c *wsClient) subscribe(orderID string, since *int64) subscribed {
	c.t.Helper()
	target := map[string]any{"orderId": orderID}
	if since != nil {
		target["since"] = *since
	}
	m := c.ask("subscribe-order", target)
	require.Nil(c.t, m.Error)
	return decode[subscribed](c.t, m.Data)
}

// closed waits for the close frame and gives its code.
func (c *wsClient) closed() int {
	c.t.Helper()
	require.NoError(c.t, c.conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	for {
		_, _, err := c.conn.ReadMessage()
		if err == nil {
			continue
		}
		var closed *websocket.CloseError
		require.ErrorAs(c.t, err, &closed)
		return closed.Code
	}
}

// subprotocol is what browsers offer.
const subprotocol = realtime.Subprotocol
