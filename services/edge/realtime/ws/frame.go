package ws

import (
	"encoding/binary"
	"unicode/utf8"
)

// Opcode is the type of a frame.
type Opcode byte

// The opcodes in use.
const (
	opContinuation Opcode = 0x0
	Text           Opcode = 0x1
	Binary         Opcode = 0x2
	Close          Opcode = 0x8
	Ping           Opcode = 0x9
	Pong           Opcode = 0xA
)

func (o Opcode) control() bool { return o&0x8 != 0 }

const (
	finBit        = 0x80
	deflateBit    = 0x40 // RSV1 of a message's first frame: the message is compressed
	reservedBits  = 0x30
	maskBit       = 0x80
	maxControl    = 125 // bytes of payload
	length16      = 126
	length64      = 127
	maxHeaderSize = 14
)

// The close codes in use. 44xx are ours: those say whether to come back.
const (
	CloseGoingAway   = 1001 // the edge stops: come back at once, elsewhere
	CloseProtocol    = 1002
	CloseBadData     = 1007
	ClosePolicy      = 1008 // too many frames: come back slower
	CloseUnsupported = 1003
	CloseTooBig      = 1009
	CloseInternal    = 1011
	CloseSignIn      = 4401 // the token ran out, or none was given: sign in again first
	CloseTooSlow     = 4408 // the client does not read: come back
	CloseTooMany     = 4429 // too many connections of this client
	closeNoStatus    = 1005
	closeNormal      = 1000
	minPrivateCode   = 3000
	maxPrivateCode   = 4999
	lastProtocolCode = 1014
)

// AppendFrame adds one unfragmented, unmasked frame to dst: what a server sends.
func AppendFrame(dst []byte, op Opcode, payload []byte) []byte {
	return append(AppendHeader(dst, op, len(payload)), payload...)
}

// AppendHeader adds the header of a frame whose payload of n bytes follows.
func AppendHeader(dst []byte, op Opcode, n int) []byte {
	dst = append(dst, finBit|byte(op))
	switch {
	case n <= maxControl:
		return append(dst, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, length16), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, length64), uint64(n))
	}
}

// AppendClose adds a close frame. The reason is cut to what a control frame holds, at a character's end.
func AppendClose(dst []byte, code int, reason string) []byte {
	if len(reason) > maxControl-2 {
		reason = reason[:maxControl-2]
		for !utf8.ValidString(reason) {
			reason = reason[:len(reason)-1]
		}
	}
	payload := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reason)), uint16(code))
	return AppendFrame(dst, Close, append(payload, reason...))
}

// EchoClose makes the answer to a close frame of the client with this code.
func EchoClose(code int) []byte {
	if code == closeNoStatus {
		return AppendFrame(nil, Close, nil)
	}
	return AppendClose(nil, code, "")
}

// ParseClose reads the payload of a close frame. An empty one has the code 1005. It returns a *CloseError with the code
// to answer for a payload that breaks the protocol.
func ParseClose(payload []byte) (code int, reason string, err error) {
	switch {
	case len(payload) == 0:
		return closeNoStatus, "", nil
	case len(payload) == 1:
		return 0, "", &CloseError{CloseProtocol, "close frame of one byte"}
	}
	code = int(binary.BigEndian.Uint16(payload))
	if !validCode(code) {
		return 0, "", &CloseError{CloseProtocol, "invalid close code"}
	}
	if !utf8.Valid(payload[2:]) {
		return 0, "", &CloseError{CloseBadData, "close reason is not UTF-8"}
	}
	return code, string(payload[2:]), nil
}

// validCode reports whether a peer may send the code: 1004 to 1006 and what is not assigned may not travel.
func validCode(code int) bool {
	if code >= minPrivateCode && code <= maxPrivateCode {
		return true
	}
	return code >= closeNormal && code <= lastProtocolCode && (code < 1004 || code > 1006)
}

// CloseError says that the connection must be closed, and with which code and reason.
type CloseError struct {
	Code   int
	Reason string
}

// Error gives the reason.
func (e *CloseError) Error() string { return "websocket: " + e.Reason }
