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
	ID    string          `json:"id,omitempty"` // of what wants an answer, and of its answer
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
	number uint64          // of the connection, among all of the process
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
	number := s.take(conn)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
			return err
		}
		var m message
		if err := conn.ReadJSON(&m); err != nil {
			return err
		}
		s.account.api.witnessFrame(s, number, m, false)
		s.receive(m, number)
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

// take makes conn the one that is written to, subscribes it, and gives its number.
func (s *socket) take(conn *websocket.Conn) uint64 {
	pings := conn.PingHandler()
	conn.SetPingHandler(func(data string) error {
		if err := conn.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
			return err
		}
		return pings(data)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.number = conn, s.account.api.connections.Add(1)
	for id, since := range s.orders {
		s.subscribe(id, since)
	}
	return s.number
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
func (s *socket) receive(m message, number uint64) {
	if m.ID != "" && m.Error != nil {
		time.AfterFunc(reconnect, func() { s.again(m.ID, number) })
	}
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
	s.subscribe(orderID, 0)
}

// forget unsubscribes from an order.
func (s *socket) forget(orderID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.orders, orderID)
	s.write(message{Event: "unsubscribe-order", Data: encoded(map[string]any{"orderId": orderID})})
}

// send sends an event, and reports whether there was a connection to send it on.
func (s *socket) send(event string, data any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(message{Event: event, Data: encoded(data)})
}

// subscribe needs s.mu. The answer comes back with the order's id, and may be that the fleet cannot say now.
func (s *socket) subscribe(orderID string, since int64) {
	s.write(message{ID: orderID, Event: "subscribe-order", Data: encoded(map[string]any{"orderId": orderID, "since": since})})
}

// again subscribes once more to what was refused, unless nobody wants it any more or another connection has done it.
func (s *socket) again(orderID string, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if since, wanted := s.orders[orderID]; wanted && s.number == number {
		s.subscribe(orderID, since)
	}
}

// encoded is data as it travels. Maps of strings and numbers always encode.
func encoded(data any) json.RawMessage {
	raw, err := json.Marshal(data)
	if err != nil {
		return nil
	}
	return raw
}

// write needs s.mu. A connection that does not take a message ends; its reader sees that and connects again.
func (s *socket) write(m message) bool {
	if s.conn == nil {
		return false
	}
	s.account.api.witnessFrame(s, s.number, m, true)
	err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		err = s.conn.WriteJSON(m)
	}
	if err != nil {
		_ = s.conn.Close() // see above
	}
	return err == nil
}
