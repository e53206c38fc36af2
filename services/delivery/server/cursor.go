package server

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"

	"github.com/google/uuid"

	"tiffin/wire"
)

// cursor is a place in a rider's past assignments: behind the offer with these three, which sort the list. It is opaque
// to clients, so it may change with cursorVersion.
type cursor struct {
	offeredAt time.Time
	order     string
	seq       int64
}

const (
	cursorVersion = 1
	cursorLength  = 1 + 8 + 16 + 8
)

// newest stands before every offer.
func newest() cursor {
	return cursor{offeredAt: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), order: uuid.Max.String(), seq: math.MaxInt64}
}

// cursorBehind is the place behind an offer.
func cursorBehind(o offer) cursor {
	return cursor{offeredAt: o.offeredAt, order: o.order, seq: o.seq}
}

// encode makes the text clients carry. Microseconds are what the database has.
func (c cursor) encode() string {
	id := uuid.MustParse(c.order)
	b := append(make([]byte, 0, cursorLength), cursorVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(c.offeredAt.UnixMicro()))
	b = append(b, id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.seq))
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeCursor reads what encode made, or newest for no cursor: wire.Invalid for anything else.
func decodeCursor(text string) (cursor, error) {
	if text == "" {
		return newest(), nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != cursorLength || b[0] != cursorVersion {
		return cursor{}, errCursor()
	}
	c := cursor{
		offeredAt: time.UnixMicro(int64(binary.BigEndian.Uint64(b[1:]))).UTC(),
		order:     uuid.UUID(b[9:25]).String(),
		seq:       int64(binary.BigEndian.Uint64(b[25:])),
	}
	// Beyond what the database can hold a time would be an error of ours instead of the client's.
	if year := c.offeredAt.Year(); year < 2000 || year > 9999 || c.seq < 0 {
		return cursor{}, errCursor()
	}
	return c, nil
}

// errCursor does not say what is wrong with a cursor: clients have nothing to mend in it.
func errCursor() error {
	return wire.Invalid{{Field: "cursor", Message: "is not a cursor of this list"}}
}
