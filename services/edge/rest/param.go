package rest

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxText is the longest value of a query parameter in bytes: the longest
// cursor, with room to spare.
const maxText = 1024

// In says where a parameter stands.
type In string

// The places of parameters.
const (
	InPath   In = "path"
	InQuery  In = "query"
	InHeader In = "header"
)

// Kind is the form of a parameter's value.
type Kind string

// The kinds of values.
const (
	UUID     Kind = "uuid"     // of users, orders and riders
	ObjectID Kind = "objectid" // of restaurants and dishes: 24 lower-case hexadecimal digits
	Text     Kind = "text"
	Integer  Kind = "integer"
	Number   Kind = "number"
	Boolean  Kind = "boolean"
)

// Param is a parameter of a route.
type Param struct {
	Name     string
	In       In
	Kind     Kind
	Field    string // of the service's request, "" if it has the parameter's name
	Doc      string
	Enum     []string // the values allowed, nil: any of the kind
	Min, Max *float64 // bounds of a number, inclusive
	Local    bool     // for the edge itself, not forwarded
	Personal bool     // makes the answer depend on who asks
}

// field gives the name in the service's request.
func (p Param) field() string {
	if p.Field != "" {
		return p.Field
	}
	return p.Name
}

// appendJSON parses a value and appends it as JSON. A complaint that is not
// empty says why the value was refused; it never contains the value.
func (p Param) appendJSON(b []byte, value string) (_ []byte, complaint string) {
	switch p.Kind {
	case UUID:
		return p.appendID(b, strings.ToLower(value), isUUID, "must be a UUID")
	case ObjectID:
		return p.appendID(b, value, isObjectID, "must be 24 lower-case hexadecimal digits")
	case Integer:
		return p.appendInteger(b, value)
	case Number:
		return p.appendNumber(b, value)
	case Boolean:
		if value != "true" && value != "false" {
			return b, "must be true or false"
		}
		return append(b, value...), ""
	default:
		return p.appendText(b, value)
	}
}

// appendID appends an id. An id has nothing to escape.
func (p Param) appendID(b []byte, value string, valid func(string) bool, complaint string) ([]byte, string) {
	if !valid(value) {
		return b, complaint
	}
	b = append(b, '"')
	b = append(b, value...)
	return append(b, '"'), ""
}

// appendInteger accepts whole numbers that every JSON reader keeps exactly.
func (p Param) appendInteger(b []byte, value string) ([]byte, string) {
	n, err := strconv.ParseInt(value, 10, 53)
	if err != nil || strings.HasPrefix(value, "+") {
		return b, "must be a whole number"
	}
	if !p.inRange(float64(n)) {
		return b, p.rangeComplaint()
	}
	return strconv.AppendInt(b, n, 10), ""
}

// appendNumber accepts what JSON accepts. ParseFloat knows more: hexadecimal,
// underscores, infinities and NaN.
func (p Param) appendNumber(b []byte, value string) ([]byte, string) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || strings.Trim(value, "0123456789.eE+-") != "" || math.IsInf(n, 0) {
		return b, "must be a number"
	}
	if !p.inRange(n) {
		return b, p.rangeComplaint()
	}
	return strconv.AppendFloat(b, n, 'g', -1, 64), ""
}

// appendText appends a text as a JSON string. The services judge what it means;
// here it only must be one that they can be sent.
func (p Param) appendText(b []byte, value string) ([]byte, string) {
	switch {
	case len(value) > maxText:
		return b, "is too long"
	case !utf8.ValidString(value):
		return b, "must be UTF-8"
	case strings.ContainsFunc(value, unicode.IsControl):
		return b, "must not contain control characters"
	case p.Enum != nil && !slices.Contains(p.Enum, value):
		return b, "must be one of " + strings.Join(p.Enum, ", ")
	}
	quoted, err := jsontext.AppendQuote(b, value)
	if err != nil {
		return b, "must be UTF-8"
	}
	return quoted, ""
}

// inRange judges the declared bounds.
func (p Param) inRange(n float64) bool {
	return (p.Min == nil || n >= *p.Min) && (p.Max == nil || n <= *p.Max)
}

// rangeComplaint names the bounds.
func (p Param) rangeComplaint() string {
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	switch {
	case p.Max == nil:
		return "must be at least " + number(*p.Min)
	case p.Min == nil:
		return "must be at most " + number(*p.Max)
	default:
		return "must be between " + number(*p.Min) + " and " + number(*p.Max)
	}
}

// isUUID checks the canonical form in lower case. Which UUIDs exist is the
// services' affair.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if !isHex(s[i]) {
				return false
			}
		}
	}
	return true
}

// isObjectID checks the form of MongoDB's ids, in the case in which they are
// stored: one restaurant has one id.
func isObjectID(s string) bool {
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return len(s) == 24
}

// isHex reports a lower-case hexadecimal digit.
func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// The parameters that several routes share.

func between(lo, hi float64) (*float64, *float64) { return &lo, &hi }

// bounded gives a number its bounds, inclusive.
func bounded(p Param, lo, hi float64) Param {
	p.Min, p.Max = between(lo, hi)
	return p
}

// personal makes the answer depend on who asks.
func personal(p Param) Param {
	p.Personal = true
	return p
}

// pathID declares an id in the path. Field is its name in the service's request,
// "" if that is the same.
func pathID(name, field string, kind Kind, doc string) Param {
	return Param{Name: name, In: InPath, Kind: kind, Field: field, Doc: doc}
}

// query declares an optional parameter of the query.
func query(name string, kind Kind, doc string) Param {
	return Param{Name: name, In: InQuery, Kind: kind, Doc: doc}
}

// page is how lists are walked.
func page() []Param {
	return []Param{
		bounded(query("limit", Integer, "How many at most; 20 if not given."), 1, 100),
		query("cursor", Text, "`nextCursor` of the page before; opaque."),
	}
}
