// Package frame makes outgoing messages: each is encoded once and its bytes are shared by every socket it goes to.
//
// Invariant: the bytes of a form never change once they exist. A form is made before the frame is handed to the first
// socket that needs it, under the lock of whoever hands it out, so sockets read without one.
package frame

import (
	"strings"

	"tiffin/services/edge/realtime/engineio"
	"tiffin/services/edge/realtime/socketio"
	"tiffin/services/edge/realtime/ws"
)

// Form is how a message looks to a kind of client.
type Form uint8

// The forms.
const (
	JSON     Form = iota // {"event", "data"} of /ws
	SocketIO             // packets of Engine.IO
	forms
)

// Frame is one message. Make it with Live, Text or Control.
type Frame struct {
	live string // what the missing forms are made of; "" when the one form there is was given
	form [forms]encoded
}

// encoded is a message as a WebSocket frame; packet is the same without the frame's header, as it goes into a poll.
type encoded struct{ framed, packet []byte }

// The shape of a live message, see tracking.LiveChannel. Relying on it saves parsing every position.
const (
	eventPrefix = `{"event":"`
	dataInfix   = `","data":`
)

// Live makes a frame of a message {"event":"<name>","data":<json>}, false when it has another shape.
func Live(message string) (*Frame, bool) {
	if _, _, ok := Split(message); !ok {
		return nil, false
	}
	return &Frame{live: message}, true
}

// Event makes a frame of an event and its data, which must be JSON.
func Event(name string, data []byte) *Frame {
	return &Frame{live: eventPrefix + name + dataInfix + string(data) + "}"}
}

// Split takes a live message apart without copying.
func Split(message string) (event, data string, ok bool) {
	rest, ok := strings.CutPrefix(message, eventPrefix)
	if !ok {
		return "", "", false
	}
	event, data, ok = strings.Cut(rest, dataInfix)
	if !ok || len(data) < 2 || data[len(data)-1] != '}' || strings.ContainsAny(event, `"\`) {
		return "", "", false
	}
	return event, data[:len(data)-1], true
}

// Text makes a frame of one form from a packet that is complete already.
func Text(form Form, packet []byte) *Frame {
	var f Frame
	f.form[form] = encode(ws.Text, packet)
	return &f
}

// Compressed makes a frame of the form JSON for a client that takes compressed messages.
func Compressed(packet []byte) *Frame {
	var f Frame
	f.form[JSON] = encoded{framed: ws.AppendCompressed(nil, packet), packet: packet}
	return &f
}

// Control makes a frame for WebSocket's own control messages.
func Control(form Form, op ws.Opcode, payload []byte) *Frame {
	var f Frame
	f.form[form] = encode(op, payload)
	return &f
}

// Ensure makes the form unless it exists. It must not run beside itself for one frame.
func (f *Frame) Ensure(form Form) {
	if f.form[form].framed != nil || f.live == "" {
		return
	}
	if form == JSON {
		f.form[JSON] = encode(ws.Text, []byte(f.live))
		return
	}
	event, data, _ := Split(f.live) // Live and Event saw to the shape
	list := make([]byte, 0, len(data)+len(event)+5)
	list = append(append(append(list, `["`...), event...), `",`...)
	list = append(append(list, data...), ']')
	f.form[SocketIO] = encode(ws.Text, Packet(socketio.Packet{Type: socketio.Event, Data: list}))
}

// Packet encodes a Socket.IO packet inside an Engine.IO message.
func Packet(p socketio.Packet) []byte {
	b := make([]byte, 0, len(p.Data)+len(p.ID)+len(p.Namespace)+8)
	return socketio.Append(append(b, byte(engineio.Message)), p)
}

// Framed gives the bytes for WebSocket. The form must have been ensured.
func (f *Frame) Framed(form Form) []byte { return f.form[form].framed }

// Packet gives the bytes for a poll. The form must have been ensured.
func (f *Frame) Packet(form Form) []byte { return f.form[form].packet }

// encode puts the header and the payload into one allocation.
func encode(op ws.Opcode, payload []byte) encoded {
	framed := ws.AppendFrame(make([]byte, 0, len(payload)+4), op, payload)
	return encoded{framed: framed, packet: framed[len(framed)-len(payload):]}
}

// Live gives the message the frame was made of, "" for one made by Text or Control.
func (f *Frame) Live() string { return f.live }
