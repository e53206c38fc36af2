package realtime

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"tiffin/micro"
	"tiffin/services/edge/inbound"
	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/socket"
	"tiffin/services/edge/realtime/ws"
)

// arrival is what is kept of the request that opens a connection. It holds no memory of fasthttp's, which is used for
// other requests as soon as the handler has returned.
type arrival struct {
	srv       *Server
	addr      netip.Addr
	requestID string
	who       identity
}

func (s *Server) arrival(c *fiber.Ctx, who identity) arrival {
	request := inbound.From(c)
	addr := request.Client
	if !addr.IsValid() {
		if tcp, ok := c.Context().RemoteAddr().(*net.TCPAddr); ok {
			addr = tcp.AddrPort().Addr().Unmap()
		}
	}
	return arrival{srv: s, addr: addr, requestID: strings.Clone(request.ID), who: who}
}

// check refuses what can still be refused as an HTTP answer.
func (a arrival) check() error {
	a.srv.gate.RLock()
	defer a.srv.gate.RUnlock()
	if a.srv.stopping {
		return errStopping
	}
	return a.srv.limits.full(a.addr)
}

// client makes the client, counted and with a heartbeat. It returns limited for one too many and errStopping at the end
// of the edge. Every client that was made must finish. conn is nil for one that polls, engine for one at /ws.
//
// This happens after the answer to the handshake was written, not before: a client that is gone by then would never end.
func (a arrival) client(form frame.Form, conn *ws.Conn, engine *session) (*client, error) {
	s := a.srv
	if err := s.limits.enter(a.addr); err != nil {
		return nil, err
	}
	c := &client{
		Socket: socket.New(form, conn, s.metrics.shed.Inc), srv: s, engine: engine, addr: a.addr,
		requestID: a.requestID, since: s.cfg.Clock(), who: anonymous,
	}
	if engine != nil {
		// Before admit, which shows the client to the heartbeat: a ping must not come before the handshake.
		engine.client = c
		if conn != nil {
			c.Send(textFrame(engine.handshake()), nil)
		}
	}
	if !s.admit(c) {
		s.limits.leave(a.addr)
		return nil, errStopping
	}
	if err := c.signIn(a.who); err != nil {
		c.Shut(ws.CloseTooMany, micro.From(err).Message)
		c.Flush(goodbye)
		c.finish()
		return nil, err
	}
	return c, nil
}

// refuse closes a connection that got past the handshake and no further.
func refuse(conn *ws.Conn, err error) {
	code, reason := ws.CloseTooMany, micro.From(err).Message
	if errors.Is(err, errStopping) {
		code, reason = ws.CloseGoingAway, errStopping.Message
	}
	// The connection is closed next; that the client did not hear why changes nothing.
	_ = conn.Write(ws.AppendClose(nil, code, reason), time.Second)
	conn.Close()
}
