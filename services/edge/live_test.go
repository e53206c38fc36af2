package edge_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/stretchr/testify/require"

	"tiffin/services/edge"
)

func anonymousTracking(c *edge.Config) { c.TrackingAnonymous = true }

func TestRealtimeIsOnBothPorts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	foreign := []string{"Origin", "https://evil.example"}
	for _, addr := range []string{w.edge.Addr().String(), w.edge.TrackingAddr().String()} {
		w.url = "http://" + addr
		polling := "/socket.io/?EIO=4&transport=polling"
		got := w.get(t, polling, "Origin", "http://localhost:5173")
		require.Equal(t, http.StatusOK, got.status, got.body)
		require.True(t, strings.HasPrefix(got.body, "0{"), "an Engine.IO handshake")
		require.Equal(t, "http://localhost:5173", got.header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, http.StatusForbidden, w.get(t, polling, foreign...).status)
		require.Equal(t, http.StatusUnauthorized, w.get(t, "/ws", "Authorization", "Bearer wrong", "Upgrade", "websocket",
			"Connection", "Upgrade", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").status)
	}
	metrics := w.get(t, "/metrics").body
	require.Contains(t, metrics, `route="/socket.io/"`)
	require.Contains(t, metrics, `route="/ws"`)
}

// The edge's own pages may connect without configuration.
func TestOwnOriginsMayConnect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, port, _ := strings.Cut(w.edge.Addr().String(), ":")
	for _, origin := range []string{"http://localhost:" + port, "http://127.0.0.1:" + port} {
		got := w.get(t, "/socket.io/?EIO=4&transport=polling", "Origin", origin)
		require.Equal(t, http.StatusOK, got.status)
	}
	listed := w.beside(t, func(c *edge.Config) { c.Origins = []string{"https://app.example.com"} })
	require.Equal(t, http.StatusForbidden,
		listed.get(t, "/socket.io/?EIO=4&transport=polling", "Origin", "http://localhost:5173").status, "a list replaces the default")
}

// socket opens a socket to the edge.
func (w *world) socket(t *testing.T) *websocket.Conn {
	t.Helper()
	conn, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(w.url, "http")+"/ws", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return conn
}

// Sockets are told to go elsewhere, and do not keep the edge from stopping.
func TestDrainSendsSocketsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, anonymousTracking)
	var sockets []*websocket.Conn
	for range 5 {
		sockets = append(sockets, w.socket(t))
	}
	began := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }()
	for _, conn := range sockets {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(15*time.Second)))
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				require.True(t, websocket.IsCloseError(err, websocket.CloseGoingAway), "%v", err)
				break
			}
		}
		require.NoError(t, conn.Close())
	}
	require.NoError(t, <-stopped)
	require.Less(t, time.Since(began), 15*time.Second)
}
