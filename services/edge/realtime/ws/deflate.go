package ws

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"strings"
	"sync"
)

// deflateTail ends every compressed message and is cut off on the wire (RFC 7692, 7.2.1).
var deflateTail = []byte{0x00, 0x00, 0xff, 0xff}

// readerTail completes a message for the reader: the tail, and an empty final block so that it sees an end.
var readerTail = []byte{0x00, 0x00, 0xff, 0xff, 0x01, 0x00, 0x00, 0xff, 0xff}

// The pools are shared by all sockets: a flate reader weighs 40 KB and a writer several hundred.
var (
	readers = sync.Pool{New: func() any { return flate.NewReader(nil) }}
	writers = sync.Pool{New: func() any {
		w, err := flate.NewWriter(nil, flate.BestSpeed)
		if err != nil {
			panic(err) // only for a level that does not exist
		}
		return w
	}}
)

// Negotiable reports whether the client's Sec-WebSocket-Extensions offer a compression that can be agreed to. An offer
// that limits the server's window is passed over, because compress/flate always uses the largest. What is agreed to is
// always without context takeover: a compressed frame then depends on no earlier one, so it can be shared by sockets,
// and a waiting socket keeps no 32 KB window.
func Negotiable(offers string) bool {
	for offer := range strings.SplitSeq(offers, ",") {
		name, params, _ := strings.Cut(offer, ";")
		if strings.TrimSpace(name) == "permessage-deflate" && acceptable(params) {
			return true
		}
	}
	return false
}

// acceptable judges the parameters of one offer. client_max_window_bits only tells what the client could do.
func acceptable(params string) bool {
	seen := map[string]bool{}
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		switch {
		case name == "":
			continue
		case seen[name]:
			return false
		case name == "server_no_context_takeover", name == "client_no_context_takeover":
			if value != "" {
				return false
			}
		case name != "client_max_window_bits":
			return false
		}
		seen[name] = true
	}
	return true
}

// inflate decompresses one message of at most limit bytes.
func inflate(payload []byte, limit int) ([]byte, error) {
	r, ok := readers.Get().(io.ReadCloser)
	if !ok {
		return nil, errors.New("websocket: foreign value in the pool of readers")
	}
	defer readers.Put(r)
	source := io.MultiReader(bytes.NewReader(payload), bytes.NewReader(readerTail))
	if err := r.(flate.Resetter).Reset(source, nil); err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return nil, &CloseError{CloseBadData, "compressed data is broken"}
	case len(out) > limit:
		return nil, &CloseError{CloseTooBig, "message too big"}
	}
	return out, nil
}

// AppendCompressed adds a text frame with the payload compressed, for clients for which compression was negotiated.
func AppendCompressed(dst, payload []byte) []byte {
	w, ok := writers.Get().(*flate.Writer)
	if !ok {
		return AppendFrame(dst, Text, payload)
	}
	defer writers.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	if _, err := w.Write(payload); err != nil {
		return AppendFrame(dst, Text, payload)
	}
	if err := w.Flush(); err != nil {
		return AppendFrame(dst, Text, payload)
	}
	body := bytes.TrimSuffix(out.Bytes(), deflateTail)
	at := len(dst)
	dst = AppendFrame(dst, Text, body)
	dst[at] |= deflateBit
	return dst
}
