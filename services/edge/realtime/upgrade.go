package realtime

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"tiffin/services/edge/realtime/ws"
)

// probeTimeout is how long an upgrade may take.
const probeTimeout = 10 * time.Second

// The packets of an upgrade.
const (
	probePing = "2probe"
	probePong = "3probe"
	upgraded  = "5"
)

// errProbe ends a connection that does not follow the steps of an upgrade.
var errProbe = errors.New("the upgrade came to nothing")

// probe is a WebSocket on its way to become its session's transport.
type probe struct {
	*session

	conn    *ws.Conn
	waiting bool // the session expects this connection to take over
	moved   bool // this connection is the session's
}

// upgrade moves a session from polling to WebSocket, in the steps of Engine.IO: the client pings the new transport, is
// answered there, lets its last poll end and says that it has moved.
func (s *session) upgrade(c *fiber.Ctx) error {
	if !s.Polling() || s.Closing() {
		return errRequest.write(c)
	}
	return ws.Hijack(c, ws.Upgrade{}, func(conn *ws.Conn, _ bool) {
		p := &probe{session: s, conn: conn}
		p.serve()
	})
}

// serve reads the connection. Until it has taken over, its end is not the session's: the client goes on polling.
func (p *probe) serve() {
	defer p.leave()
	defer p.recover()
	p.conn.LimitRead(probeTimeout)
	parser := ws.Parser{Limit: maxMessage}
	err := p.conn.ReadLoop(func(chunk []byte) error { return parser.Feed(chunk, p.on) })
	if p.moved {
		p.farewell(p.conn, err)
	}
}

func (p *probe) leave() {
	if p.moved {
		p.finish()
		return
	}
	if p.waiting {
		p.Unprobe()
	}
	p.conn.Close()
}

// on handles one frame.
func (p *probe) on(op ws.Opcode, payload []byte) error {
	switch {
	case p.moved:
		return p.frame(op, payload, p.session.message)
	case op == ws.Text && !p.waiting && string(payload) == probePing:
		return p.begin()
	case op == ws.Text && p.waiting && string(payload) == upgraded:
		return p.takeOver()
	default:
		return errProbe
	}
}

// begin answers the probe. Nothing else is written to the connection yet, so it may be done from here.
func (p *probe) begin() error {
	if !p.Probe() {
		return errProbe
	}
	p.waiting = true
	return p.conn.Write(ws.AppendFrame(nil, ws.Text, []byte(probePong)), probeTimeout)
}

// takeOver makes the connection the session's.
func (p *probe) takeOver() error {
	p.conn.LimitRead(0)
	if !p.Upgrade(p.conn) {
		return errProbe
	}
	p.waiting, p.moved = false, true
	return nil
}
