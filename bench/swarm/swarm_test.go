package swarm_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/stretchr/testify/require"

	"tiffin/bench/swarm"
)

// serve runs a WebSocket server for one test and gives its address.
func serve(t *testing.T, on func(c *websocket.Conn)) string {
	t.Helper()
	upgrader := websocket.Upgrader{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ws" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		on(c)
		require.NoError(t, c.Close())
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// echo answers every message until the client has gone.
func echo(c *websocket.Conn) {
	for {
		kind, message, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, message) != nil {
			return
		}
	}
}

func open(t *testing.T, addr string) *swarm.Conn {
	t.Helper()
	c, err := swarm.Open(addr, "/ws", "")
	require.NoError(t, err)
	return c
}

// TestEveryLengthOfFrame: the three ways in which a length is written.
func TestEveryLengthOfFrame(t *testing.T) {
	t.Parallel()
	c := open(t, serve(t, echo))
	defer c.Close()
	for _, size := range []int{0, 1, 125, 126, 60_000} {
		want := strings.Repeat("x", size)
		require.NoError(t, c.Send([]byte(want)))
		got, err := c.Next()
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

func TestManyConnectionsAtOnce(t *testing.T) {
	t.Parallel()
	addr := serve(t, echo)
	var conns []*swarm.Conn
	for i := range 50 {
		c := open(t, addr)
		c.ID = i
		conns = append(conns, c)
	}
	s, err := swarm.New(conns)
	require.NoError(t, err)
	defer s.Close()
	const each = 100
	for _, c := range conns {
		for range each {
			require.NoError(t, c.Send([]byte(strings.Repeat("m", 1000))))
		}
	}
	got := make([]int, len(conns))
	require.Eventually(t, func() bool {
		require.NoError(t, s.Poll(10*time.Millisecond, func(c *swarm.Conn, payload []byte) {
			require.Len(t, payload, 1000)
			got[c.ID]++
		}))
		for _, n := range got {
			if n < each {
				return false
			}
		}
		return true
	}, 10*time.Second, time.Millisecond)
}

// TestPingsAreAnswered by the swarm itself, with their own payload.
func TestPingsAreAnswered(t *testing.T) {
	t.Parallel()
	ponged := make(chan string, 1)
	addr := serve(t, func(c *websocket.Conn) {
		c.SetPongHandler(func(payload string) error { ponged <- payload; return nil })
		if c.WriteControl(websocket.PingMessage, []byte("alive?"), time.Now().Add(time.Second)) == nil {
			echo(c)
		}
	})
	s, err := swarm.New([]*swarm.Conn{open(t, addr)})
	require.NoError(t, err)
	defer s.Close()
	require.Eventually(t, func() bool {
		require.NoError(t, s.Poll(time.Millisecond, func(*swarm.Conn, []byte) {}))
		return len(ponged) == 1
	}, 5*time.Second, time.Millisecond)
	require.Equal(t, "alive?", <-ponged)
}

// TestWhoeverLeavesIsNoticed: a server that closes or refuses clients must not pass for a fast one.
func TestWhoeverLeavesIsNoticed(t *testing.T) {
	t.Parallel()
	addr := serve(t, func(c *websocket.Conn) {
		require.NoError(t, c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1001, "bye"), time.Now().Add(time.Second)))
	})
	s, err := swarm.New([]*swarm.Conn{open(t, addr)})
	require.NoError(t, err)
	defer s.Close()
	require.Eventually(t, func() bool {
		err = s.Poll(time.Millisecond, func(*swarm.Conn, []byte) {})
		return err != nil
	}, 5*time.Second, time.Millisecond)
	require.ErrorContains(t, err, "bye")

	_, err = swarm.Open(addr, "/elsewhere", "")
	require.ErrorContains(t, err, "418")
	_, err = swarm.Open("127.0.0.1:1", "/ws", "")
	require.Error(t, err)
	_, err = swarm.Open("no address", "/ws", "")
	require.Error(t, err)
}
