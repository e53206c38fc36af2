package realtime

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"tiffin/services/edge/inbound"
	"tiffin/services/edge/realtime/engineio"
	"tiffin/services/edge/realtime/socket"
	"tiffin/services/edge/realtime/ws"
)

// engineError is an error of Engine.IO, in the form its clients know.
type engineError struct {
	status  int
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// The errors of Engine.IO, with its own codes and words.
var (
	errTransport = engineError{http.StatusBadRequest, 0, "Transport unknown"}
	errSession   = engineError{http.StatusBadRequest, 1, "Session ID unknown"}
	errMethod    = engineError{http.StatusBadRequest, 2, "Bad handshake method"}
	errRequest   = engineError{http.StatusBadRequest, 3, "Bad request"}
	errForbidden = engineError{http.StatusForbidden, 4, "Forbidden"}
	errProtocol  = engineError{http.StatusBadRequest, 5, "Unsupported protocol version"}
	errGoing     = engineError{http.StatusServiceUnavailable, 3, "Going away"}
	errTooMany   = engineError{http.StatusTooManyRequests, 3, "Too many connections"}
	errLarge     = engineError{http.StatusRequestEntityTooLarge, 3, "Payload too large"}
)

// write answers the request with the error.
func (e engineError) write(c *fiber.Ctx) error {
	if e.status == http.StatusServiceUnavailable || e.status == http.StatusTooManyRequests {
		c.Set(fiber.HeaderRetryAfter, "1")
	}
	return c.Status(e.status).JSON(e)
}

// refusal gives the error of Engine.IO for one of arrival.
func refusal(err error) engineError {
	if errors.Is(err, errStopping) {
		return errGoing
	}
	return errTooMany
}

// serveEngine is /socket.io/: handshakes, polls, posts and upgrades, told apart as Engine.IO does.
func (s *Server) serveEngine(c *fiber.Ctx) error {
	request := inbound.From(c)
	request.Route, request.Quiet = "/socket.io/", true
	c.Set(fiber.HeaderCacheControl, "no-store")
	if err := s.origins.check(c); err != nil {
		return errForbidden.write(c)
	}
	transport := c.Query("transport")
	switch {
	case c.Query("EIO") != engineio.Protocol:
		return errProtocol.write(c)
	case transport != "polling" && transport != "websocket":
		return errTransport.write(c)
	case transport == "websocket" && ws.Check(c) != nil:
		c.Response().Header.Del(fiber.HeaderUpgrade)
		return errRequest.write(c)
	}
	sid := c.Query("sid")
	if sid == "" {
		return s.openSession(c, transport)
	}
	session := s.sessions.get(sid)
	switch {
	case session == nil:
		return errSession.write(c)
	case transport == "websocket":
		return session.upgrade(c)
	case c.Method() == fiber.MethodGet:
		return session.poll(c)
	case c.Method() == fiber.MethodPost:
		return session.post(c)
	default:
		return errRequest.write(c)
	}
}

// openSession is a request without a session: a new client.
func (s *Server) openSession(c *fiber.Ctx, transport string) error {
	if c.Method() != fiber.MethodGet {
		return errMethod.write(c)
	}
	raw, err := tokenOf(c)
	if err != nil {
		return errForbidden.write(c)
	}
	who, err := s.identify(raw)
	if err != nil {
		return errForbidden.write(c)
	}
	arrival := s.arrival(c, who)
	if err := arrival.check(); err != nil {
		return refusal(err).write(c)
	}
	if transport == "websocket" {
		return ws.Hijack(c, ws.Upgrade{}, arrival.serveEngine)
	}
	session, err := arrival.open(nil)
	if err != nil {
		return refusal(err).write(c)
	}
	return text(c, session.handshake("websocket"))
}

// serveEngine serves a client that begins with WebSocket.
func (a arrival) serveEngine(conn *ws.Conn, _ bool) {
	session, err := a.open(conn)
	if err != nil {
		refuse(conn, err)
		return
	}
	session.serve(conn, ws.Parser{Limit: maxMessage}, session.message)
}

// text answers with packets.
func text(c *fiber.Ctx, payload []byte) error {
	c.Set(fiber.HeaderContentType, "text/plain; charset=UTF-8")
	return c.Send(payload)
}

// poll is a GET: it waits for packets. A client that sends a second one while the first waits is broken, and closed as
// the reference server does.
func (s *session) poll(c *fiber.Ctx) error {
	payload, last, err := s.Poll(s.srv.cfg.PingInterval + s.srv.cfg.PingTimeout)
	switch {
	case errors.Is(err, socket.ErrOverlap):
		s.hangUp()
		return errRequest.write(c)
	case errors.Is(err, socket.ErrMoved):
		return errRequest.write(c)
	case err != nil:
		return errSession.write(c)
	}
	if last {
		s.finish()
	}
	return text(c, payload)
}

// post is a POST: packets of the client, handled in order before the answer.
func (s *session) post(c *fiber.Ctx) error {
	if !s.posting.CompareAndSwap(false, true) {
		s.hangUp()
		return errRequest.write(c)
	}
	defer s.posting.Store(false)
	defer s.recover()
	body := c.Request().Body()
	switch {
	case !s.Polling():
		return errRequest.write(c)
	case len(body) > maxMessage:
		s.hangUp()
		return errLarge.write(c)
	case c.Get(fiber.HeaderContentEncoding) != "", strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEOctetStream):
		s.hangUp()
		return errRequest.write(c)
	}
	err := engineio.ParsePayload(body, func(p engineio.Packet) error {
		if err := s.pace(); err != nil {
			return err
		}
		return s.packet(p)
	})
	switch {
	case errors.Is(err, errGoodbye):
		s.hangUp()
	case err != nil:
		s.hangUp()
		return errRequest.write(c)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTML)
	return c.SendString("ok")
}
