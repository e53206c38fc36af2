// Package engineio is the codec of Engine.IO, protocol 4: the packets beneath Socket.IO, as text over WebSocket and as
// payloads over HTTP long-polling. It knows bytes and nothing of connections.
package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"unicode/utf8"
)

// Protocol is the value of the query parameter EIO that this package speaks.
const Protocol = "4"

// Type is the kind of a packet, as its first character on the wire.
type Type byte

// The kinds of packets.
const (
	Open    Type = '0' // server: the Handshake
	Close   Type = '1' // either: the transport ends
	Ping    Type = '2' // server: heartbeat; client: "probe" on a transport to upgrade to
	Pong    Type = '3' // the answer to a ping, with its data
	Message Type = '4'
	Upgrade Type = '5' // client: the probed transport takes over
	Noop    Type = '6' // server: ends a poll so that the client can upgrade
)

// Separator stands between the packets of a payload.
const Separator = '\x1e'

// binaryMark leads a binary message of a payload, where it travels in base64.
const binaryMark = 'b'

// MaxPackets bounds how many packets one payload may hold. The stock client sends what queued up while it polled.
const MaxPackets = 1000

// ErrPacket says that bytes are no packet of this protocol. The connection cannot go on after it.
var ErrPacket = errors.New("engineio: invalid packet")

// Packet is one packet. Data is text, except that of a Message with Binary set.
type Packet struct {
	Type   Type
	Binary bool
	Data   []byte
}

// Handshake is the data of the first packet of a connection. Times are in milliseconds.
type Handshake struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int64    `json:"pingInterval"`
	PingTimeout  int64    `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"` // bytes the server takes in one message or payload
}

// Append adds the packet as it travels over WebSocket: a binary message is the bare data, in a binary frame.
func Append(dst []byte, p Packet) []byte {
	if p.Binary {
		return append(dst, p.Data...)
	}
	return append(append(dst, byte(p.Type)), p.Data...)
}

// Parse reads a packet from a text frame. Data points into b.
func Parse(b []byte) (Packet, error) {
	if len(b) == 0 || b[0] < byte(Open) || b[0] > byte(Noop) {
		return Packet{}, ErrPacket
	}
	return Packet{Type: Type(b[0]), Data: b[1:]}, nil
}

// AppendPayload adds one more packet to a payload of a poll.
func AppendPayload(dst []byte, p Packet) []byte {
	if len(dst) > 0 {
		dst = append(dst, Separator)
	}
	if p.Binary {
		return base64.StdEncoding.AppendEncode(append(dst, binaryMark), p.Data)
	}
	return append(append(dst, byte(p.Type)), p.Data...)
}

// ParsePayload calls on for each packet of a payload, in order, and stops at the first error. The data is valid until on
// returns and points into b, except that of a binary message.
func ParsePayload(b []byte, on func(Packet) error) error {
	if !utf8.Valid(b) || bytes.Count(b, []byte{Separator}) >= MaxPackets {
		return ErrPacket
	}
	for part := range bytes.SplitSeq(b, []byte{Separator}) {
		p, err := parsePart(part)
		if err != nil {
			return err
		}
		if err := on(p); err != nil {
			return err
		}
	}
	return nil
}

func parsePart(part []byte) (Packet, error) {
	if len(part) == 0 || part[0] != binaryMark {
		return Parse(part)
	}
	data, err := base64.StdEncoding.AppendDecode(nil, part[1:])
	if err != nil {
		return Packet{}, ErrPacket
	}
	return Packet{Type: Message, Binary: true, Data: data}, nil
}
