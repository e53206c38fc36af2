package realtime

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
	"sync/atomic"

	"tiffin/services/edge/realtime/engineio"
	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/socketio"
	"tiffin/services/edge/realtime/ws"
	"tiffin/wire"
)

// session is a connection of Engine.IO: the client and what its bytes mean.
type session struct {
	*client

	sid     string
	header  identity    // by the handshake's Authorization, for clients that send no token in auth
	joined  atomic.Bool // the client has connected to the root namespace
	posting atomic.Bool // a POST is being handled

	// reading is held while a packet is handled. Only during an upgrade do two transports deliver at once.
	reading sync.Mutex
	binary  *socketio.Packet // an event whose attachments have not all come
	missing int              // attachments
}

// enginePing is the heartbeat of Engine.IO 4: the server asks, the client answers.
var enginePing = engineFrame(engineio.Packet{Type: engineio.Ping})

func engineFrame(p engineio.Packet) *frame.Frame { return textFrame(engineio.Append(nil, p)) }

// textFrame makes a frame of a packet that is complete already.
func textFrame(packet []byte) *frame.Frame { return frame.Text(frame.SocketIO, packet) }

// sessions finds sessions by their id.
type sessions struct {
	mu   sync.RWMutex
	byID map[string]*session
}

func newSessions() *sessions { return &sessions{byID: map[string]*session{}} }

func (t *sessions) get(sid string) *session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byID[sid]
}

func (t *sessions) add(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byID[s.sid] = s
}

func (t *sessions) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, s.sid)
}

// newID makes an id that cannot be guessed: who knows a session's id may poll its messages.
func newID() string {
	var b [18]byte
	rand.Read(b[:]) // never fails: the runtime ends the process first
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// open makes the session of an arrival. conn is nil for one that begins with polling, which gets the handshake as the
// answer of its request.
func (a arrival) open(conn *ws.Conn) (*session, error) {
	s := &session{sid: newID(), header: a.who}
	a.who = anonymous // over Socket.IO one becomes somebody by connecting to the namespace
	if _, err := a.client(frame.SocketIO, conn, s); err != nil {
		return nil, err
	}
	a.srv.sessions.add(s)
	return s, nil
}

// handshake is the first packet of a session.
func (s *session) handshake(upgrades ...string) []byte {
	cfg := s.srv.cfg
	data, err := wire.Encode(engineio.Handshake{
		SID: s.sid, Upgrades: append([]string{}, upgrades...), MaxPayload: maxMessage,
		PingInterval: cfg.PingInterval.Milliseconds(), PingTimeout: cfg.PingTimeout.Milliseconds(),
	})
	if err != nil {
		data = []byte("{}") // a struct of strings and numbers always encodes
	}
	return engineio.Append(nil, engineio.Packet{Type: engineio.Open, Data: data})
}

// message handles one message of a WebSocket.
func (s *session) message(op ws.Opcode, payload []byte) error {
	if op == ws.Binary {
		return s.packet(engineio.Packet{Type: engineio.Message, Binary: true, Data: payload})
	}
	p, err := engineio.Parse(payload)
	if err != nil {
		return errPacket
	}
	return s.packet(p)
}

// errPacket ends a session whose client does not keep to the protocol.
var errPacket = &ws.CloseError{Code: ws.CloseProtocol, Reason: "invalid packet"}

// packet handles one packet, over either transport. It returns an error for what must end the session.
func (s *session) packet(p engineio.Packet) error {
	s.Heard()
	s.reading.Lock()
	defer s.reading.Unlock()
	switch p.Type {
	case engineio.Message:
		if p.Binary {
			return s.attachment()
		}
		return s.enter(p.Data)
	case engineio.Close:
		return errGoodbye
	case engineio.Pong, engineio.Ping, engineio.Noop, engineio.Upgrade:
		return nil
	default:
		return errPacket
	}
}
