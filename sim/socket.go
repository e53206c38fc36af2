package sim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
)

const (
	handshakeTimeout = 5 * time.Second
	writeTimeout     = 5 * time.Second
	// readTimeout is renewed by everything that arrives, the server's pings included.
	readTimeout = 90 * time.Second
	reconnect   = time.Second
	// closeSignIn is what the fleet closes with when a token has run out.
	closeSignIn = 4401
)

// message is what travels on a socket, in both directions.
type message struct {
	Event string          `json:"event,omitempty"`
	Data  json.RawMessage `json:"data,omitempty"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// socket is an account's live connection. It comes back by itself and subscribes again to what it was subscribed to,
// from where it was.
type socket struct {
	account *account
	url     string
	handle  func(event string, data json.RawMessage)

	mu     sync.Mutex
	conn   *websocket.Conn // nil while away
	orders map[string]int64
}

// newSocket makes a socket that is away until run.
func newSocket(a *account, handle func(event string, data json.RawMessage)) *socket {
	// http becomes ws, and https wss.
	return &socket{
		account: a, url: "ws" + strings.TrimPrefix(a.api.base, "http") + "/ws", handle: handle, orders: make(map[string]int64),
	}
}

// run keeps the socket connected until ctx ends.
func (s *socket) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.live(ctx)
		if websocket.IsCloseError(err, closeSignIn) {
			// Failing shows at the next attempt to connect.
			_ = s.account.login(ctx)
		}
		if wait(ctx, reconnect) != nil {
			return
		}
	}
}

// live is one connection from beginning to end.
func (s *socket) live(ctx context.Context) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { s.leave(conn) })
	defer func() {
		stop()
		s.drop(conn)
	}()
	s.take(conn)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
			return err
		}
		var m message
		if err := conn.ReadJSON(&m); err != nil {
			return err
		}
		s.receive(m)
	}
}

// dial connects, and signs in again for the next attempt when the token was refused.
func (s *socket) dial(ctx context.Context) (*websocket.Conn, error) {
	dialer := websocket.Dialer{HandshakeTimeout: handshakeTimeout, Subprotocols: []string{"tiffin"}}
	conn, res, err := dialer.DialContext(ctx, s.url, http.Header{"Authorization": {"Bearer " + s.account.token()}})
	if res != nil {
		defer res.Body.Close()
		if res.StatusCode == http.StatusUnauthorized {
			return nil, errors.Join(err, s.account.login(ctx))
		}
	}
	return conn, err
}

// take makes conn the one that is written to, and subscribes it.
func (s *socket) take(conn *websocket.Conn) {
	pings := conn.PingHandler()
	conn.SetPingHandler(func(data string) error {
		if err := conn.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
			return err
		}
		return pings(data)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
	for id, since := range s.orders {
		s.write("subscribe-order", map[string]any{"orderId": id, "since": since})
	}
}

// drop forgets a connection that has ended.
func (s *socket) drop(conn *websocket.Conn) {
	s.mu.Lock()
	s.conn = nil
	s.mu.Unlock()
	// It is closed already more often than not.
	_ = conn.Close()
}

// leave says goodbye.
func (s *socket) leave(conn *websocket.Conn) {
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	// Nobody waits for it to arrive.
	_ = conn.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(time.Second))
	_ = conn.Close()
}

// receive notes how far each order's updates have come, and passes the event on.
func (s *socket) receive(m message) {
	if m.Event == "order-updated" {
		var update struct {
			OrderID string
			Seq     int64
		}
		if json.Unmarshal(m.Data, &update) == nil {
			s.mu.Lock()
			if seen, subscribed := s.orders[update.OrderID]; subscribed && update.Seq > seen {
				s.orders[update.OrderID] = update.Seq
			}
			s.mu.Unlock()
		}
	}
	if m.Event != "" {
		s.handle(m.Event, m.Data)
	}
}

// follow subscribes to an order, from its beginning.
func (s *socket) follow(orderID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, already := s.orders[orderID]; already {
		return
	}
	s.orders[orderID] = 0
	s.write("subscribe-order", map[string]any{"orderId": orderID, "since": 0})
}

// forget unsubscribes from an order.
func (s *socket) forget(orderID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.orders, orderID)
	s.write("unsubscribe-order", map[string]any{"orderId": orderID})
}

// send sends an event, and reports whether there was a connection to send it on.
func (s *socket) send(event string, data any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(event, data)
}

// write needs s.mu. A connection that does not take a message ends; its reader sees that and connects again.
func (s *socket) write(event string, data any) bool {
	if s.conn == nil {
		return false
	}
	err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		err = s.conn.WriteJSON(map[string]any{"event": event, "data": data})
	}
	if err != nil {
		_ = s.conn.Close() // see above
	}
	return err == nil
}
