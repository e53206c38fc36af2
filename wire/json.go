package wire

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds nesting. The deepest request of the contract has three levels; recursion deeper than 32 is an attack.
const maxDepth = 32

// The options are joined once: joining them costs as much as reading a small request.
var (
	strict  = json.JoinOptions(json.RejectUnknownMembers(true))
	lenient = json.JoinOptions(json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
)

// Decode reads exactly one JSON value from data into v, a pointer. It returns Malformed for what is no JSON, has
// duplicate keys, trailing data, bad UTF-8 or more than 32 levels, and Invalid for an unknown or differently-cased
// member, a wrong type or a number out of range. v is undefined after an error.
func Decode(data []byte, v any) error {
	if tooDeep(data) {
		return Malformed{"nested deeper than " + strconv.Itoa(maxDepth) + " levels"}
	}
	err := json.Unmarshal(data, v, strict)
	if err == nil {
		return nil
	}
	return classify(data, err)
}

// Encoded is implemented by values that hold their own JSON already, such as cached answers.
type Encoded interface{ EncodedJSON() []byte }

// Encode writes v as compact JSON with sorted map keys. Strings that are not UTF-8 get replacement characters instead
// of failing the answer. Field tags follow encoding/json/v2: omitzero leaves out zero numbers and times, omitempty
// only empty strings, lists and objects; nil lists become []. An Encoded is taken as it is.
func Encode(v any) ([]byte, error) {
	if encoded, ok := v.(Encoded); ok {
		return encoded.EncodedJSON(), nil
	}
	return json.Marshal(v, lenient)
}

// classify turns the decoder's error into Malformed or Invalid without any part of the value.
func classify(data []byte, err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return malformed(data, syntax)
	}
	// The decoder stops at the first semantic fault. Text that goes wrong later is still no JSON, and 400 wins over 422.
	if err := readThrough(data); errors.As(err, &syntax) {
		return malformed(data, syntax)
	} else if err != nil {
		return Malformed{"number beyond any type"}
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return Malformed{"unreadable"}
	}
	return Invalid{{Field: path(semantic.JSONPointer), Message: complaint(semantic)}}
}

// readThrough looks for syntax errors, and for numbers such as 1e400, which no JSON reader can hold.
func readThrough(data []byte) error {
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		token, err := decoder.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if token.Kind() == '0' {
			if _, err := strconv.ParseFloat(token.String(), 64); err != nil {
				return err
			}
		}
	}
}

// malformed names the kind of syntax error.
func malformed(data []byte, err *jsontext.SyntacticError) error {
	switch {
	case len(strings.TrimSpace(string(data))) == 0:
		return Malformed{"empty"}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return Malformed{"duplicate key"}
	default:
		return Malformed{"syntax error at byte " + strconv.FormatInt(err.ByteOffset, 10)}
	}
}

// complaint words a semantic error for the client.
func complaint(err *json.SemanticError) string {
	switch {
	case errors.Is(err.Err, json.ErrUnknownName):
		return "unknown field"
	case errors.Is(err.Err, strconv.ErrRange):
		return "number out of range"
	case errors.Is(err.Err, ErrMoney):
		return "must be a number with at most two decimals"
	case errors.Is(err.Err, ErrTime):
		return "must be an RFC 3339 time"
	default:
		return "wrong type"
	}
}

// path turns a JSON pointer such as /items/0/quantity into items[0].quantity.
func path(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if allDigits(token) {
			b.WriteString("[" + token + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}

// tooDeep reports nesting beyond maxDepth. It runs before the decoder, whose own limit is ten thousand levels.
func tooDeep(data []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
