package realtime

import (
	"encoding/json"
	"strings"

	"tiffin/micro"
	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/socketio"
)

// disconnectFrame tells a client that it is out of the namespace; the stock client does not come back by itself.
var disconnectFrame = packetFrame(socketio.Packet{Type: socketio.Disconnect})

func packetFrame(p socketio.Packet) *frame.Frame {
	return textFrame(frame.Packet(p))
}

// enter handles one packet of Socket.IO. s.reading is held.
func (s *session) enter(data []byte) error {
	p, err := socketio.Parse(data)
	if err != nil || s.binary != nil {
		return errPacket
	}
	if p.Type == socketio.Connect {
		s.connect(p)
		return nil
	}
	if p.Namespace != socketio.Root || !s.joined.Load() {
		return errPacket
	}
	switch p.Type {
	case socketio.Event:
		return s.event(p)
	case socketio.BinaryEvent, socketio.BinaryAck:
		return s.expect(p)
	case socketio.Disconnect:
		s.part()
	case socketio.Ack: // nothing here asks clients for acks
	default:
		return errPacket
	}
	return nil
}

// connect lets the client into the root namespace, the only one, or tells it why not: the stock client raises
// connect_error with the message and does not try again by itself.
func (s *session) connect(p socketio.Packet) {
	if p.Namespace != socketio.Root {
		s.reject(p.Namespace, "Invalid namespace")
		return
	}
	if s.joined.Load() {
		return
	}
	who, err := s.credentials(p.Data)
	if err == nil {
		err = s.signIn(who)
	}
	if err != nil {
		s.reject(socketio.Root, micro.From(err).Message)
		return
	}
	s.joined.Store(true)
	// An id of its own: the session's is a secret, and this one is shown in logs of clients.
	s.Send(packetFrame(socketio.Packet{Type: socketio.Connect, Data: []byte(`{"sid":"` + newID() + `"}`)}), nil)
}

func (s *session) reject(namespace, message string) {
	s.Send(packetFrame(socketio.Packet{
		Type: socketio.ConnectError, Namespace: namespace, Data: messageJSON(message),
	}), nil)
}

// credentials finds who the client is: by the token in auth, where other things may stand too, or else by the header of
// the handshake.
func (s *session) credentials(auth []byte) (identity, error) {
	var given credentials
	if len(auth) > 0 {
		if err := json.Unmarshal(auth, &given); err != nil {
			return identity{}, errToken
		}
	}
	who := s.header
	if token := strings.TrimPrefix(given.Token, "Bearer "); token != "" {
		var err error
		if who, err = s.srv.identify(token); err != nil {
			return identity{}, err
		}
	}
	if !who.signedIn() && !s.srv.cfg.Anonymous {
		return identity{}, micro.E(micro.CodeUnauthenticated, "sign in to connect")
	}
	return who, nil
}

// part takes the client out of the namespace at its own wish. It may connect again, also as somebody else.
func (s *session) part() {
	s.busy.Lock()
	defer s.busy.Unlock()
	s.joined.Store(false)
	s.signOut()
}

// event carries out an event. Its first argument is the data; more are ignored, as any server of Socket.IO would.
func (s *session) event(p socketio.Packet) error {
	name, args, err := socketio.Arguments(p.Data)
	if err != nil {
		return errPacket
	}
	in := call{event: name, answer: ackWith(p.ID)}
	if len(args) > 0 {
		in.data = args[0]
	}
	s.handle(in)
	return nil
}

// ackWith makes acks [{"data"}] or [{"error"}], nil where none is wanted.
func ackWith(id string) func([]byte) *frame.Frame {
	if id == "" {
		return nil
	}
	return func(body []byte) *frame.Frame {
		list := make([]byte, 0, len(body)+4)
		list = append(append(append(list, "[{"...), body...), "}]"...)
		return packetFrame(socketio.Packet{Type: socketio.Ack, ID: id, Data: list})
	}
}

// expect waits for the attachments of a binary packet, so that what follows them is understood.
func (s *session) expect(p socketio.Packet) error {
	p.Data = nil // points into a buffer that is about to be used for the next message, and is not needed
	if p.Attachments == 0 {
		s.refuseBinary(p)
		return nil
	}
	s.binary, s.missing = &p, p.Attachments
	return nil
}

// attachment takes one binary message.
func (s *session) attachment() error {
	if s.binary == nil {
		return errPacket
	}
	if s.missing--; s.missing == 0 {
		p := *s.binary
		s.binary = nil
		s.refuseBinary(p)
	}
	return nil
}

// refuseBinary answers an event with binary arguments. Nothing here takes any.
func (s *session) refuseBinary(p socketio.Packet) {
	if p.Type == socketio.BinaryEvent {
		s.fail(call{answer: ackWith(p.ID)}, micro.E(micro.CodeInvalid, "binary data is not accepted"))
	}
}
