package ws

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// Parser turns the bytes of a client into messages. It is fed whatever arrived and keeps what is incomplete; between
// messages it holds no memory. The zero value with Limit set is ready; it is not safe for concurrent use.
type Parser struct {
	Limit   int  // bytes of a message, after decompression
	Deflate bool // permessage-deflate was negotiated

	pending []byte // the beginning of an incomplete frame

	fragments  []byte // payload of a fragmented message so far
	op         Opcode // of that message
	fragmented bool
	compressed bool
}

// header is a parsed frame header.
type header struct {
	fin, deflate bool
	op           Opcode
	size         int // of the header
	length       int // of the payload
	mask         [4]byte
}

// Feed takes the next bytes, which it may overwrite, and calls on for every message and control frame completed by them,
// in order. The payload is valid until on returns. It returns a *CloseError for what must end the connection and the
// error of on otherwise; the Parser is unusable after any error.
func (p *Parser) Feed(chunk []byte, on func(op Opcode, payload []byte) error) error {
	data := chunk
	if len(p.pending) > 0 {
		p.pending = append(p.pending, chunk...)
		data = p.pending
	}
	for len(data) > 0 {
		h, complete, err := p.header(data)
		if err != nil {
			return err
		}
		if !complete || len(data) < h.size+h.length {
			break
		}
		payload := data[h.size : h.size+h.length]
		unmask(payload, h.mask)
		if err := p.frame(h, payload, on); err != nil {
			return err
		}
		data = data[h.size+h.length:]
	}
	p.keep(data)
	return nil
}

// keep copies what is left of an incomplete frame. The chunk's buffer goes back to its owner.
func (p *Parser) keep(rest []byte) {
	if len(rest) == 0 {
		p.pending = nil
		return
	}
	p.pending = append(p.pending[:0], rest...) // may overlap when rest is a tail of pending: copying forward is safe
}

// header reads a frame header; complete is false when more bytes are needed. Everything that can be judged by the
// header is judged here, before a byte of payload is waited for.
func (p *Parser) header(b []byte) (h header, complete bool, err error) {
	if len(b) < 2 {
		return h, false, nil
	}
	h = header{fin: b[0]&finBit != 0, deflate: b[0]&deflateBit != 0, op: Opcode(b[0] & 0x0F), size: 2}
	if err := p.judge(h, b[0], b[1]); err != nil {
		return h, false, err
	}
	length := uint64(b[1] &^ maskBit)
	switch {
	case length == length16 && len(b) >= 4:
		length, h.size = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case length == length64 && len(b) >= 10:
		length, h.size = binary.BigEndian.Uint64(b[2:]), 10
	case length > maxControl:
		return h, false, nil
	}
	if length > math.MaxInt32 || !h.op.control() && int(length)+len(p.fragments) > p.Limit {
		return h, false, &CloseError{CloseTooBig, "message too big"}
	}
	if len(b) < h.size+4 {
		return h, false, nil
	}
	copy(h.mask[:], b[h.size:])
	h.length = int(length)
	h.size += 4
	return h, true, nil
}

// judge checks the first two bytes of a frame.
func (p *Parser) judge(h header, first, second byte) error {
	data := h.op == Text || h.op == Binary
	switch {
	case first&reservedBits != 0, h.deflate && !(p.Deflate && data):
		return &CloseError{CloseProtocol, "reserved bits set"}
	case second&maskBit == 0:
		return &CloseError{CloseProtocol, "frame without a mask"}
	case h.op.control() && (!h.fin || second&^maskBit > maxControl):
		return &CloseError{CloseProtocol, "fragmented or long control frame"}
	case !data && h.op != opContinuation && h.op != Close && h.op != Ping && h.op != Pong:
		return &CloseError{CloseProtocol, "unknown opcode"}
	case data && p.fragmented, h.op == opContinuation && !p.fragmented:
		return &CloseError{CloseProtocol, "fragments out of order"}
	}
	return nil
}

// frame handles one complete, unmasked frame.
func (p *Parser) frame(h header, payload []byte, on func(Opcode, []byte) error) error {
	if h.op.control() {
		return on(h.op, payload)
	}
	if h.op != opContinuation {
		p.op, p.compressed, p.fragmented = h.op, h.deflate, true
	}
	if !h.fin {
		p.fragments = append(p.fragments, payload...)
		return nil
	}
	if len(p.fragments) > 0 {
		payload = append(p.fragments, payload...)
		p.fragments = nil
	}
	p.fragmented = false
	return p.message(payload, on)
}

func (p *Parser) message(payload []byte, on func(Opcode, []byte) error) error {
	if p.compressed {
		inflated, err := inflate(payload, p.Limit)
		if err != nil {
			return err
		}
		payload = inflated
	}
	if p.op == Text && !utf8.Valid(payload) {
		return &CloseError{CloseBadData, "text is not UTF-8"}
	}
	return on(p.op, payload)
}

// unmask undoes the client's XOR, eight bytes at a time: byte by byte it would be the costliest step of reading.
func unmask(b []byte, mask [4]byte) {
	m := binary.LittleEndian.Uint32(mask[:])
	m64 := uint64(m)<<32 | uint64(m)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^m64)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= mask[i&3]
	}
}
