package edge

import (
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"tiffin/services/edge/realtime/ws"
)

// TestSocketsGetTheConnectionItself: through the listener the edge uses, a WebSocket must end up on the plain socket. On
// a wrapped one everything works too, with a goroutine for each write and a buffer for each connection that waits, and
// nothing else shows it.
func TestSocketsGetTheConnectionItself(t *testing.T) {
	t.Parallel()
	ln, err := listen("PORT", "127.0.0.1", 0, nil, newCounter(100))
	require.NoError(t, err)
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Server().KeepHijackedConns = true
	direct := make(chan bool, 1)
	app.Get("/ws", func(c *fiber.Ctx) error {
		return ws.Hijack(c, ws.Upgrade{}, func(conn *ws.Conn, _ bool) {
			direct <- conn.Direct()
			conn.Close()
		})
	})
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	t.Cleanup(func() {
		require.NoError(t, app.ShutdownWithTimeout(5*time.Second))
		require.NoError(t, <-served)
	})
	client, _, err := websocket.DefaultDialer.Dial("ws://"+ln.Addr().String()+"/ws", nil)
	require.NoError(t, err)
	require.True(t, <-direct)
	require.NoError(t, client.Close())
}
