package wire

import (
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// layout has always three decimals, so that texts of equal times are equal and sort as times do.
const layout = "2006-01-02T15:04:05.000Z07:00"

// ErrTime says that text is no RFC 3339 time with a year from 0 to 9999.
var ErrTime = errors.New("not an RFC 3339 time")

// Time is a moment in UTC with milliseconds. In JSON it is an RFC 3339 string, such as "2026-11-22T14:08:39.000Z".
type Time struct{ time.Time }

// At cuts t down to what the wire carries: UTC, whole milliseconds, no monotonic reading.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// String gives the JSON form without quotes.
func (t Time) String() string { return t.UTC().Format(layout) }

// append writes the RFC 3339 string in quotes. It returns ErrTime for years that RFC 3339 cannot express.
func (t Time) append(b []byte) ([]byte, error) {
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		return nil, ErrTime
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, layout)
	return append(b, '"'), nil
}

// MarshalJSONTo writes the RFC 3339 string into the encoder's own buffer. It returns ErrTime for years that RFC 3339
// cannot express.
func (t Time) MarshalJSONTo(enc *jsontext.Encoder) error {
	text, err := t.append(enc.AvailableBuffer())
	if err != nil {
		return err
	}
	return enc.WriteValue(text)
}

// MarshalJSON is MarshalJSONTo for encoding/json, which does not know that one.
func (t Time) MarshalJSON() ([]byte, error) { return t.append(make([]byte, 0, len(layout)+2)) }

// UnmarshalJSON reads any RFC 3339 string and converts it to UTC milliseconds. It returns ErrTime for anything else.
func (t *Time) UnmarshalJSON(data []byte) error {
	if len(data) < 2 || data[0] != '"' {
		return ErrTime
	}
	text := string(data[1 : len(data)-1])
	v, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || strings.Contains(text, ",") { // package time takes a comma for the point, RFC 3339 does not
		return ErrTime
	}
	*t = At(v)
	return nil
}
