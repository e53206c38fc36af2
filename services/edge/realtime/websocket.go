package realtime

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"tiffin/services/edge/inbound"
	"tiffin/services/edge/problem"
	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/ws"
	"tiffin/wire"
)

// maxMessage bounds what a client may send in one message, over any transport.
const maxMessage = 16 << 10

// compressFrom is the size in bytes from which an answer is compressed for clients that take it. Positions are a tenth
// of that, and compressing them would cost more than their bytes.
const compressFrom = 1 << 10

// socketPing is the heartbeat at /ws: a ping that every WebSocket client answers by itself.
var socketPing = frame.Control(frame.JSON, ws.Ping, nil)

// serveWebSocket is GET /ws. Everything that can be refused is refused as an HTTP answer: 403 for another origin, 426
// for no handshake, 401 for a wrong token, 429 for one connection too many. No token is no reason: it may come as the
// first message.
func (s *Server) serveWebSocket(c *fiber.Ctx) error {
	request := inbound.From(c)
	request.Route, request.Quiet = "/ws", true
	if err := s.origins.check(c); err != nil {
		return err
	}
	if err := ws.Check(c); err != nil {
		return refuseHandshake(c, err, request.ID)
	}
	raw, err := tokenOf(c)
	if err != nil {
		return err
	}
	who, err := s.identify(raw)
	if err != nil {
		return err
	}
	request.Actor = who.actor
	arrival := s.arrival(c, who)
	if err := arrival.check(); err != nil {
		return err
	}
	return ws.Hijack(c, ws.Upgrade{Subprotocol: subprotocol(c), Compress: true}, func(conn *ws.Conn, compressed bool) {
		cl, err := arrival.client(frame.JSON, conn, nil)
		if err != nil {
			refuse(conn, err)
			return
		}
		cl.serve(conn, ws.Parser{Limit: maxMessage, Deflate: compressed}, func(op ws.Opcode, payload []byte) error {
			return cl.message(op, payload, compressed)
		})
	})
}

// refuseHandshake answers what is no handshake, or one of another version, with the status that ws.Check has chosen.
func refuseHandshake(c *fiber.Ctx, err error, requestID string) error {
	var wrong *fiber.Error
	if !errors.As(err, &wrong) || wrong.Code != http.StatusUpgradeRequired {
		return err
	}
	return problem.Problem{
		Type: problem.TypeURI("upgrade-required"), Title: "The path speaks WebSocket, version 13", Status: wrong.Code,
		Detail: wrong.Message, Instance: requestID,
	}.Write(c)
}

// serve reads the client until its end, which this is. on handles messages.
func (c *client) serve(conn *ws.Conn, parser ws.Parser, on func(ws.Opcode, []byte) error) {
	defer c.finish()
	defer c.recover()
	err := conn.ReadLoop(func(chunk []byte) error {
		return parser.Feed(chunk, func(op ws.Opcode, payload []byte) error { return c.frame(op, payload, on) })
	})
	c.farewell(conn, err)
}

// farewell sees the connection off after the reading ended with err. A client that said goodbye gets its answer. One that
// broke the protocol is told how, and gets the time to read it: closed at once, with data unread, the kernel would throw
// away what is on its way.
func (c *client) farewell(conn *ws.Conn, err error) {
	var bad *ws.CloseError
	switch {
	case errors.Is(err, errGoodbye):
		c.Flush(goodbye)
	case errors.As(err, &bad) && c.Shut(bad.Code, bad.Reason):
		conn.LimitRead(goodbye)
		// It ends with an error, by the client or by the clock: either is the end that is wanted.
		_ = conn.ReadLoop(func([]byte) error { return nil })
	}
}

// frame handles one frame; control frames here, messages in on. Whatever arrives shows that the client lives.
func (c *client) frame(op ws.Opcode, payload []byte, on func(ws.Opcode, []byte) error) error {
	c.Heard()
	switch op {
	case ws.Ping:
		c.Send(frame.Control(c.Form(), ws.Pong, payload), pongSlot{})
		return nil
	case ws.Pong:
		return nil
	case ws.Close:
		return c.closed(payload)
	}
	if c.Closing() {
		return nil // only the client's goodbye is awaited
	}
	if err := c.pace(); err != nil {
		return err
	}
	return on(op, payload)
}

// pace counts a message against the rate of the client.
func (c *client) pace() error {
	c.mu.Lock()
	ok := c.bucket.take(c.srv.cfg.Clock(), c.srv.limits.Frames)
	c.mu.Unlock()
	if !ok && !c.srv.limits.free(c.addr) {
		return &ws.CloseError{Code: ws.ClosePolicy, Reason: "too many messages"}
	}
	return nil
}

// pongSlot lets pongs replace each other: a client that floods pings gets the last one answered (RFC 6455, 5.5.3).
type pongSlot struct{}

// errGoodbye ends the read loop after the client's close frame.
var errGoodbye = errors.New("the client said goodbye")

// closed answers the client's close frame with its own code, unless it was the answer to ours.
func (c *client) closed(payload []byte) error {
	code, _, err := ws.ParseClose(payload)
	if err != nil {
		return err
	}
	c.ShutWith(ws.EchoClose(code))
	return errGoodbye
}

// recover ends a client whose handler panicked, and tells it nothing but that.
func (c *client) recover() {
	if p := recover(); p != nil {
		c.srv.metrics.panics.Inc()
		ctx, cancel := c.context()
		defer cancel()
		c.srv.log.ErrorContext(ctx, "panic in event handler", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		c.Shut(ws.CloseInternal, "internal error")
	}
}

// envelope is a message at /ws.
type envelope struct {
	Event string         `json:"event"`
	Data  jsontext.Value `json:"data,omitzero"`
	ID    jsontext.Value `json:"id,omitzero"` // a string or a number
}

// message handles one message at /ws.
func (c *client) message(op ws.Opcode, payload []byte, compressed bool) error {
	if op != ws.Text {
		return &ws.CloseError{Code: ws.CloseUnsupported, Reason: "messages are JSON text"}
	}
	var in envelope
	if err := wire.Decode(payload, &in); err != nil {
		c.fail(call{}, err)
		return nil
	}
	switch in.ID.Kind() {
	case '"', '0':
		c.handle(call{event: in.Event, data: in.Data, answer: answerWith(in.ID, compressed)})
	case 'n', 0:
		c.handle(call{event: in.Event, data: in.Data})
	default:
		c.fail(call{}, wire.Invalid{{Field: "id", Message: "must be a string or a number"}})
	}
	return nil
}

// answerWith makes answers {"id", "data"} or {"id", "error"}.
func answerWith(id jsontext.Value, compressed bool) func([]byte) *frame.Frame {
	return func(body []byte) *frame.Frame {
		out := make([]byte, 0, len(id)+len(body)+8)
		out = append(append(append(out, `{"id":`...), id...), ',')
		out = append(append(out, body...), '}')
		if compressed && len(out) >= compressFrom {
			return frame.Compressed(out)
		}
		return frame.Text(frame.JSON, out)
	}
}

// credentials is the data of authenticate.
type credentials struct {
	Token string `json:"token"`
}

// authenticate signs the client in by a message, or renews its token. After a wrong token there is nothing to talk
// about: the socket is closed, as a wrong token at the handshake would have been refused.
func (c *client) authenticate(in call) error {
	var data credentials
	if err := wire.Decode(in.data, &data); err != nil {
		return err
	}
	who, err := c.srv.identify(data.Token)
	if err == nil && !who.signedIn() {
		err = errToken
	}
	if err != nil {
		c.fail(in, err)
		c.leave(ws.CloseSignIn, errToken.Message)
		return nil
	}
	if err := c.signIn(who); err != nil {
		return err
	}
	return c.succeed(in, struct {
		UserID string `json:"userId"`
		Role   string `json:"role"`
	}{who.actor.ID, who.actor.Role})
}
