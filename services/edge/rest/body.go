package rest

import (
	"bytes"
	"mime"
	"reflect"
	"strings"

	"github.com/gofiber/fiber/v2"

	"tiffin/micro"
	"tiffin/wire"
)

// MaxBody is the largest request body in bytes.
const MaxBody = 256 << 10

// Body is the body of a route.
type Body struct {
	Type  reflect.Type
	check func([]byte) error
}

// nothing is the body of routes that take none: absent, or an empty object,
// which some clients always send.
var nothing = bodyOf[struct{}]()

// bodyOf declares the body: JSON of T, decoded strictly and validated if T can.
func bodyOf[T any]() *Body {
	return &Body{Type: reflect.TypeFor[T](), check: func(data []byte) error {
		var v T
		if err := wire.Decode(data, &v); err != nil {
			return err
		}
		if v, ok := any(v).(interface{ Validate() error }); ok {
			return v.Validate()
		}
		return nil
	}}
}

// readBody takes the body of the request, checked against the route's
// declaration. The bytes belong to Fiber and end with the handler.
func readBody(c *fiber.Ctx, declared *Body) ([]byte, error) {
	if len(c.Request().Header.Peek(fiber.HeaderContentEncoding)) > 0 {
		return nil, micro.E(micro.CodeUnsupported, "a request must not have a Content-Encoding")
	}
	// BodyRaw, because Body would unpack a Content-Encoding: forty kilobytes
	// then become forty megabytes.
	data := c.BodyRaw()
	if declared == nil {
		if len(data) == 0 {
			return nil, nil
		}
		declared = nothing
	}
	if err := mustBeJSON(c); err != nil {
		return nil, err
	}
	if len(data) > MaxBody {
		return nil, micro.E(micro.CodeTooLarge, "the body has more than %d bytes", MaxBody)
	}
	if err := declared.check(data); err != nil {
		return nil, err
	}
	// null would decode into any struct, and splice needs the braces.
	if data = bytes.TrimSpace(data); data[0] != '{' {
		return nil, wire.Invalid{{Message: "must be an object"}}
	}
	return data, nil
}

// mustBeJSON refuses what a lenient reader might understand as something else,
// such as forms.
func mustBeJSON(c *fiber.Ctx) error {
	given := string(c.Request().Header.ContentType())
	if given == fiber.MIMEApplicationJSON { // nearly always; the parser below allocates
		return nil
	}
	media, params, err := mime.ParseMediaType(given)
	if err != nil || media != fiber.MIMEApplicationJSON {
		return micro.E(micro.CodeUnsupported, "the Content-Type must be application/json")
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return micro.E(micro.CodeUnsupported, "the charset must be utf-8")
	}
	return nil
}

// splice makes one object of the fields (`"a":1,"b":2`, or nothing) and a body
// from readBody.
func splice(fields, body []byte) []byte {
	if len(body) >= 2 {
		body = bytes.TrimSpace(body[1 : len(body)-1])
	}
	out := make([]byte, 0, len(fields)+len(body)+3)
	out = append(out, '{')
	out = append(out, fields...)
	if len(fields) > 0 && len(body) > 0 {
		out = append(out, ',')
	}
	out = append(out, body...)
	return append(out, '}')
}
