// Package socketio is the codec of Socket.IO, protocol 5: what travels in the messages of Engine.IO. It knows bytes and
// nothing of connections.
package socketio

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Type is the kind of a packet.
type Type byte

// The kinds of packets, by their digit on the wire.
const (
	Connect      Type = iota // client: with the auth data; server: with the session's id
	Disconnect               // either: leaves the namespace. A client told so does not come back by itself.
	Event                    // [name, arguments...], with an ID when an Ack is wanted
	Ack                      // [arguments...], with the ID of the Event
	ConnectError             // server: {message}
	BinaryEvent              // Event with attachments
	BinaryAck                // Ack with attachments
)

// Root is the namespace that needs no name on the wire.
const Root = "/"

// The bounds of what is read. Nothing this server offers has binary arguments; a few are followed so that a client that
// sends one gets an answer instead of a broken stream.
const (
	maxAttachments = 8
	maxDigits      = 15 // of an ack id: exact in a JavaScript number
	maxNamespace   = 128
)

// ErrPacket says that bytes are no packet of this protocol. The connection cannot go on after it.
var ErrPacket = errors.New("socketio: invalid packet")

// Packet is one packet without its attachments.
type Packet struct {
	Type        Type
	Namespace   string // Root or "/name"
	ID          string // digits; "" when no ack is wanted
	Attachments int    // how many binary messages follow
	Data        []byte // JSON: a list for events and acks, an object for Connect; empty where there is none
}

// Parse reads a packet. Data points into b and is valid JSON of the kind that belongs to the type.
func Parse(b []byte) (Packet, error) {
	if len(b) == 0 || b[0] < '0' || b[0] > '0'+byte(BinaryAck) {
		return Packet{}, ErrPacket
	}
	p := Packet{Type: Type(b[0] - '0'), Namespace: Root}
	rest, err := p.attachments(b[1:])
	if err != nil {
		return Packet{}, err
	}
	if rest, err = p.namespace(rest); err != nil {
		return Packet{}, err
	}
	n := digits(rest)
	if n > maxDigits {
		return Packet{}, ErrPacket
	}
	p.ID, p.Data = string(rest[:n]), rest[n:]
	if !p.fits() {
		return Packet{}, ErrPacket
	}
	return p, nil
}

// attachments reads "<n>-", which leads the binary types only.
func (p *Packet) attachments(b []byte) ([]byte, error) {
	if p.Type != BinaryEvent && p.Type != BinaryAck {
		return b, nil
	}
	n := digits(b)
	if n == 0 || n > 3 || n == len(b) || b[n] != '-' {
		return nil, ErrPacket
	}
	count, err := strconv.Atoi(string(b[:n]))
	if err != nil || count > maxAttachments {
		return nil, ErrPacket
	}
	p.Attachments = count
	return b[n+1:], nil
}

// namespace reads "/name,"; the comma may be missing where nothing follows.
func (p *Packet) namespace(b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] != '/' {
		return b, nil
	}
	end := bytes.IndexByte(b, ',')
	if end < 0 {
		end = len(b)
	}
	if end > maxNamespace {
		return nil, ErrPacket
	}
	p.Namespace = string(b[:end])
	return bytes.TrimPrefix(b[end:], []byte{','}), nil
}

// fits checks that the data is what the type carries.
func (p *Packet) fits() bool {
	value := jsontext.Value(p.Data)
	switch p.Type {
	case Connect:
		return len(p.Data) == 0 || p.ID == "" && p.Data[0] == '{' && value.IsValid()
	case Disconnect:
		return len(p.Data) == 0 && p.ID == ""
	case Event, BinaryEvent:
		return listOf(p.Data) && value.IsValid() && named(p.Data)
	case Ack, BinaryAck:
		return listOf(p.Data) && p.ID != "" && value.IsValid()
	default:
		return len(p.Data) > 0 && p.Data[0] == '{' && value.IsValid()
	}
}

func listOf(b []byte) bool { return len(b) > 0 && b[0] == '[' }

// named reports whether an event's list begins with its name, a string.
func named(list []byte) bool {
	first := bytes.TrimLeft(list[1:], " \t\r\n")
	return len(first) > 0 && first[0] == '"'
}

func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}

// Append adds the packet to dst.
func Append(dst []byte, p Packet) []byte {
	dst = append(dst, '0'+byte(p.Type))
	if p.Type == BinaryEvent || p.Type == BinaryAck {
		dst = append(strconv.AppendInt(dst, int64(p.Attachments), 10), '-')
	}
	if p.Namespace != "" && p.Namespace != Root {
		dst = append(append(dst, p.Namespace...), ',')
	}
	return append(append(dst, p.ID...), p.Data...)
}

// Arguments splits an Event's data into its name and the JSON of its arguments. It returns ErrPacket for data that Parse
// would not have passed.
func Arguments(data []byte) (name string, args []jsontext.Value, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '[' {
		return "", nil, ErrPacket
	}
	t, err := d.ReadToken()
	if err != nil || t.Kind() != '"' {
		return "", nil, ErrPacket
	}
	name = t.String()
	for d.PeekKind() != ']' {
		v, err := d.ReadValue()
		if err != nil {
			return "", nil, ErrPacket
		}
		args = append(args, v.Clone())
	}
	return name, args, nil
}
