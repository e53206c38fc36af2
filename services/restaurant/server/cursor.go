package server

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tiffin/wire"
)

// position is where a row stands in a list: rows are in the order of their positions, and no two have the same one. A
// cursor is the position of a page's last row, so that pages neither repeat nor miss a row whatever is added or removed
// between them.
type position struct {
	near     bool    // the list is by distance, not by name
	distance float64 // km, when near
	name     string  // folded, when not near
	id       bson.ObjectID
}

// before says whether p stands before q in the same list.
func (p position) before(q position) bool {
	switch {
	case p.distance != q.distance:
		return p.distance < q.distance
	case p.name != q.name:
		return p.name < q.name
	default:
		return bytes.Compare(p.id[:], q.id[:]) < 0
	}
}

const (
	cursorByName     = 'n'
	cursorByDistance = 'd'
)

// cursor writes a position in a form that tells clients nothing.
func (p position) cursor() string {
	raw := append([]byte{cursorByName}, p.id[:]...)
	if p.near {
		raw[0] = cursorByDistance
		raw = binary.BigEndian.AppendUint64(raw, math.Float64bits(p.distance))
	} else {
		raw = append(raw, p.name...)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parseCursor reads what cursor wrote for the same kind of list, or fails with wire.Invalid.
func parseCursor(text string, near bool) (p position, err error) {
	refused := wire.Invalid{{Field: "cursor", Message: "is not one of this list's"}}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(raw)) != len(text) || // the decoder skips line breaks
		len(raw) < 1+len(p.id) || near != (raw[0] == cursorByDistance) || !near && raw[0] != cursorByName {
		return p, refused
	}
	p.near = near
	rest := raw[1+copy(p.id[:], raw[1:]):]
	if !near {
		p.name = string(rest)
		return p, nil
	}
	if len(rest) != 8 {
		return p, refused
	}
	p.distance = math.Float64frombits(binary.BigEndian.Uint64(rest))
	if !(p.distance >= 0) { // NaN too
		return p, refused
	}
	return p, nil
}
