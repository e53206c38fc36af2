package ws

import (
	"encoding/base64"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// Upgrade describes how to answer a handshake.
type Upgrade struct {
	Subprotocol string // "" for none
	Compress    bool   // agree to permessage-deflate when the client offers it
}

// IsUpgrade reports whether the request asks for WebSocket at all.
func IsUpgrade(c *fiber.Ctx) bool {
	return hasToken(c.Get(fiber.HeaderConnection), "upgrade") && hasToken(c.Get(fiber.HeaderUpgrade), "websocket")
}

// Check validates the handshake. It returns a *fiber.Error with the status to answer: 426 with the header that names
// the version for another one, 400 for anything else that is wrong.
func Check(c *fiber.Ctx) error {
	key, err := base64.StdEncoding.DecodeString(c.Get(fiber.HeaderSecWebSocketKey))
	switch {
	case !IsUpgrade(c) || c.Method() != fiber.MethodGet:
		c.Set(fiber.HeaderUpgrade, "websocket")
		return fiber.NewError(http.StatusUpgradeRequired, "this path speaks WebSocket")
	case c.Get(fiber.HeaderSecWebSocketVersion) != "13":
		c.Set(fiber.HeaderSecWebSocketVersion, "13")
		return fiber.NewError(http.StatusUpgradeRequired, "WebSocket version 13 is required")
	case err != nil || len(key) != 16:
		return fiber.NewError(http.StatusBadRequest, "Sec-WebSocket-Key is not valid")
	}
	return nil
}

// Hijack answers a handshake that Check has accepted and gives the connection to serve, in a goroutine of its own.
// compressed tells whether permessage-deflate was agreed on. The server must have KeepHijackedConns set: the
// connection leaves fasthttp and the library here, with none of their buffers. The library's own Conn is pooled and goes
// to another client as soon as its handler returns, so nothing of it is kept but the connection beneath.
func Hijack(c *fiber.Ctx, u Upgrade, serve func(conn *Conn, compressed bool)) error {
	config := websocket.Config{
		EnableCompression: u.Compress && Negotiable(c.Get(fiber.HeaderSecWebSocketExtensions)),
		// serve has a recover of its own; the library's default would write the panic to the client.
		RecoverHandler: func(*websocket.Conn) {},
	}
	if u.Subprotocol != "" {
		config.Subprotocols = []string{u.Subprotocol}
	}
	return websocket.New(func(library *websocket.Conn) {
		conn := NewConn(take(library.NetConn()))
		go serve(conn, config.EnableCompression)
	}, config)(c)
}

// take gives the bare connection and what fasthttp had read of it already. Reads with a deadline in the past yield what
// is buffered and nothing else.
func take(hijacked net.Conn) (net.Conn, []byte) {
	bare := hijacked
	for { // fasthttp's wrapper, and that of the listener
		wrapper, ok := bare.(interface{ UnsafeConn() net.Conn })
		if !ok {
			break
		}
		bare = wrapper.UnsafeConn()
	}
	// Errors of deadlines mean a dead connection: the first read will tell.
	_ = bare.SetDeadline(time.Unix(1, 0))
	var early []byte
	buf := make([]byte, 512)
	for {
		n, err := hijacked.Read(buf)
		early = append(early, buf[:n]...)
		if err != nil || n == 0 {
			break
		}
	}
	_ = bare.SetDeadline(time.Time{})
	return bare, early
}

// hasToken looks for a token in a comma-separated header, ignoring case.
func hasToken(value, token string) bool {
	for item := range strings.SplitSeq(value, ",") {
		if strings.EqualFold(strings.TrimSpace(item), token) {
			return true
		}
	}
	return false
}
