package rest

import (
	"context"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"tiffin/micro"
	"tiffin/services/edge/problem"
	"tiffin/services/edge/ratelimit"
	"tiffin/wire"
)

// maxHeaderParam is the longest value of a header parameter.
const maxHeaderParam = 255

// call is one request of a route, with what was read from it.
type call struct {
	api    *API
	route  *Route
	c      *fiber.Ctx
	ctx    context.Context
	fields []byte // ids and query as members of a JSON object, without the braces
	body   []byte // the checked body, an object, or nil

	personal bool // has a parameter that makes the answer depend on who asks
}

// read takes in path, query, headers and body, in the order in which their
// faults are reported.
func (k *call) read() error {
	for _, p := range k.route.Params {
		if p.In == InPath && !k.add(p, k.c.Params(p.Name)) {
			return micro.NotFound(strings.TrimSuffix(p.Name, "Id"))
		}
	}
	if err := k.readQuery(); err != nil {
		return err
	}
	for _, p := range k.route.Params {
		if p.In == InHeader {
			if err := k.readHeader(p); err != nil {
				return err
			}
		}
	}
	var err error
	k.body, err = readBody(k.c, k.route.Body)
	return err
}

// add appends a parameter as a member of the request and reports whether its
// value was good.
func (k *call) add(p Param, value string) bool { return k.complain(p, value) == "" }

// complain is add with the reason.
func (k *call) complain(p Param, value string) string {
	fields := k.fields
	if len(fields) > 0 {
		fields = append(fields, ',')
	}
	fields = append(fields, '"')
	fields = append(fields, p.field()...)
	fields = append(fields, '"', ':')
	fields, complaint := p.appendJSON(fields, value)
	if complaint == "" && !p.Local {
		k.fields = fields
	}
	k.personal = k.personal || p.Personal
	return complaint
}

// readQuery reads the declared parameters. Others are ignored, as links are
// passed around with all sorts of additions.
func (k *call) readQuery() error {
	args := k.c.Context().QueryArgs()
	if args.Len() == 0 {
		return nil
	}
	var faults wire.Invalid
	for _, p := range k.route.Params {
		if p.In != InQuery {
			continue
		}
		values := args.PeekMulti(p.Name)
		switch {
		case len(values) == 0, len(values) == 1 && len(values[0]) == 0 && p.Kind == Text:
		case len(values) > 1:
			faults = append(faults, wire.FieldError{Field: p.Name, Message: "is given more than once"})
		default:
			if complaint := k.complain(p, string(values[0])); complaint != "" {
				faults = append(faults, wire.FieldError{Field: p.Name, Message: complaint})
			}
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// readHeader hands a header parameter on as a header of the call.
func (k *call) readHeader(p Param) error {
	value := k.c.Get(p.Name)
	if value == "" {
		return nil
	}
	if len(value) > maxHeaderParam || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		return micro.E(micro.CodeMalformed, "%s must be at most %d printable ASCII characters", p.Name, maxHeaderParam)
	}
	k.ctx = micro.WithHeader(k.ctx, p.Name, value)
	return nil
}

// forward sends the request to the route's endpoint and its answer to the
// client, neither of them decoded here. Callers who ask for the same thing at
// the same moment share the answer, if it is the same for everybody: at lunch
// that is what most of them do.
func (k *call) forward() error {
	request := jsontext.Value(splice(k.fields, k.body))
	send := func(ctx context.Context) (jsontext.Value, error) { return k.send(ctx, request) }
	var answer jsontext.Value
	var err error
	if k.route.target.alike && !k.personal {
		answer, err = k.api.flight.Do(k.ctx, k.route.target.subject+string(request), send)
	} else {
		answer, err = send(k.ctx)
	}
	if err != nil {
		return err
	}
	return k.answer(answer)
}

// send asks the route's endpoint.
func (k *call) send(ctx context.Context, request jsontext.Value) (jsontext.Value, error) {
	send := micro.Call[jsontext.Value, jsontext.Value]
	if k.route.target.again {
		send = micro.CallIdempotent[jsontext.Value, jsontext.Value]
	}
	return send(ctx, k.api.cfg.Client, k.route.target.subject, request)
}

// answer sends a good answer; one that a route does not have is left out.
func (k *call) answer(body []byte) error {
	k.c.Status(k.route.Status)
	if k.route.Answer == nil {
		return nil
	}
	k.c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	k.c.Response().SetBodyRaw(body)
	return nil
}

// answerValue sends v as JSON.
func (k *call) answerValue(v any) error {
	body, err := wire.Encode(v)
	if err != nil {
		return err
	}
	return k.answer(body)
}

// setLimitHeaders tells the client what is left, in the names that clients know
// and as the drafts of the standard do.
func setLimitHeaders(c *fiber.Ctx, d ratelimit.Decision) {
	limit := strconv.Itoa(d.Limit)
	c.Set("RateLimit-Limit", limit)
	c.Set("RateLimit-Remaining", strconv.Itoa(d.Remaining))
	c.Set("RateLimit-Reset", problem.Seconds(d.Reset))
	c.Set("RateLimit-Policy", limit+";w=1")
}
