package sim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/stretchr/testify/require"

	"tiffin/services/auth"
)

const patient = 10 * time.Second

// switchboard is the far end of a socket, worked by the test: it takes connections, shows what was received on the
// newest, and says and closes what it is told.
type switchboard struct {
	t        *testing.T
	mu       sync.Mutex
	conn     *websocket.Conn
	tokens   []string
	received chan message
}

func (b *switchboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/auth/login" {
		// A test that cannot write its answer fails by what it asks next.
		_ = json.NewEncoder(w).Encode(auth.Session{Token: "fresh"})
		return
	}
	b.mu.Lock()
	b.tokens = append(b.tokens, r.Header.Get("Authorization"))
	b.mu.Unlock()
	upgrader := websocket.Upgrader{Subprotocols: []string{"tiffin"}}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		b.t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }() // the client may have closed it first
	b.mu.Lock()
	b.conn = conn
	b.mu.Unlock()
	for {
		var m message
		if conn.ReadJSON(&m) != nil {
			return
		}
		b.received <- m
	}
}

func (b *switchboard) say(event, data string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	require.NoError(b.t, b.conn.WriteJSON(message{Event: event, Data: json.RawMessage(data)}))
}

func (b *switchboard) hangUp(code int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	require.NoError(b.t, b.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second)))
}

// next is what the socket sent.
func (b *switchboard) next() message {
	select {
	case m := <-b.received:
		return m
	case <-time.After(patient):
		require.Fail(b.t, "nothing was sent")
		return message{}
	}
}

// connected is a running socket and its far end.
func connected(t *testing.T) (*socket, *switchboard, chan string) {
	t.Helper()
	far := &switchboard{t: t, received: make(chan message, 100)}
	server := httptest.NewServer(far)
	a := newAPI(server.URL, nil)
	heard := make(chan string, 100)
	s := newSocket(&account{api: a, session: auth.Session{Token: "stale"}}, func(event string, _ json.RawMessage) { heard <- event })
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done; a.close(); server.Close() })
	return s, far, heard
}

// A socket that comes back asks for what it missed, and only of what it still follows.
func TestSocketComesBackWhereItWas(t *testing.T) {
	t.Parallel()
	s, far, heard := connected(t)
	s.follow("one") // before there is a connection
	require.JSONEq(t, `{"orderId":"one","since":0}`, string(far.next().Data))
	s.follow("one")
	s.follow("two")
	require.JSONEq(t, `{"orderId":"two","since":0}`, string(far.next().Data), "followed once")
	far.say("order-updated", `{"orderId":"one","seq":4}`)
	far.say("order-updated", `{"orderId":"one","seq":3}`)
	far.say("location-updated", `{"orderId":"one"}`)
	require.Equal(t, []string{"order-updated", "order-updated", "location-updated"}, []string{<-heard, <-heard, <-heard})
	s.forget("two")
	require.Equal(t, "unsubscribe-order", far.next().Event)

	far.hangUp(websocket.CloseGoingAway)
	again := far.next()
	require.Equal(t, "subscribe-order", again.Event)
	require.JSONEq(t, `{"orderId":"one","since":4}`, string(again.Data))
	require.Eventually(t, func() bool { return s.send("rider-location-update", map[string]int{"latitude": 1}) }, patient, time.Millisecond)
	require.Equal(t, "rider-location-update", far.next().Event)
}

// Told to sign in again, it does, and comes back with the new token.
func TestSocketSignsInAgain(t *testing.T) {
	t.Parallel()
	s, far, _ := connected(t)
	s.follow("one")
	far.next()
	far.hangUp(closeSignIn)
	far.next()
	far.mu.Lock()
	defer far.mu.Unlock()
	require.Equal(t, []string{"Bearer stale", "Bearer fresh"}, far.tokens)
}

// While away, what is sent is not kept: the next position is better than an old one.
func TestNothingIsSentWhileAway(t *testing.T) {
	t.Parallel()
	s := newSocket(&account{api: newAPI("http://127.0.0.1:1", nil)}, func(string, json.RawMessage) {})
	require.False(t, s.send("rider-location-update", 1))
	require.Equal(t, "ws://127.0.0.1:1/ws", s.url)
	require.Equal(t, "wss://tiffin.example/ws", newSocket(&account{api: newAPI("https://tiffin.example/", nil)}, nil).url)
}
