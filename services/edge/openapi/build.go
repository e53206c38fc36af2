package openapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"tiffin/services/edge/apikeys"
	"tiffin/services/edge/problem"
	"tiffin/services/edge/rest"
	"tiffin/wire"
)

// Names that stand in several places of a document.
const (
	mediaJSON  = "application/json"
	schemeName = "bearer"
	keyScheme  = "apiKey"
)

// Build describes the routes. The version is that of the API.
func Build(version string, routes []rest.Route) *Document {
	b := newBuilder()
	doc := &Document{
		OpenAPI: "3.1.0",
		Info:    Info{Title: "Tiffin", Version: version, Description: introduction},
		Servers: []Server{{URL: "/"}},
		Paths:   map[string]map[string]*Operation{},
	}
	for _, r := range routes {
		path := Path(r.Path)
		if doc.Paths[path] == nil {
			doc.Paths[path] = map[string]*Operation{}
		}
		at := located{path, strings.ToLower(r.Method), b.operation(r)}
		doc.Paths[at.path][at.method] = at.operation
		doc.operations = append(doc.operations, at)
		if tag := (Tag{r.Tag}); !slices.Contains(doc.Tags, tag) {
			doc.Tags = append(doc.Tags, tag)
		}
	}
	responses := b.refusals()
	b.finish()
	doc.Components = Components{
		Schemas: b.schemas, Responses: responses, Headers: headers(),
		SecuritySchemes: securitySchemes(),
	}
	return doc
}

// securitySchemes describes the two ways to say who one is.
func securitySchemes() map[string]SecurityScheme {
	return map[string]SecurityScheme{
		schemeName: {
			Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The `token` of a session, from signing in."},
		keyScheme: {
			Type: "apiKey", In: "header", Name: apikeys.Header,
			Description: "For programs: a key that an administrator has made at `POST /admin/api-keys`. It acts for an account, " +
				"narrowed to its scopes, with a rate limit of its own. Not together with a token."},
	}
}

// JSON gives the document's text. The error is a bug in the declarations.
func (d *Document) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	// The reflector refers to definitions beside the schema; here they all live
	// in one place.
	return []byte(strings.ReplaceAll(string(text), `"#/$defs/`, `"#/components/schemas/`)), nil
}

// Path gives a path in OpenAPI's form: /orders/{id} for /orders/:id.
func Path(fiber string) string {
	segments := strings.Split(fiber, "/")
	for i, s := range segments {
		if name, ok := strings.CutPrefix(s, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

// operation describes one route: who may call it, what it reads, the one good
// answer, and a reference for each way to be refused.
func (b *builder) operation(r rest.Route) *Operation {
	op := &Operation{
		OperationID: r.ID(), Tags: []string{r.Tag}, Summary: r.Summary, Description: description(r),
		Security: []map[string][]string{}, Responses: map[string]Response{},
	}
	if r.Who.SignedIn {
		op.Security = append(op.Security, map[string][]string{schemeName: {}})
	}
	if scope := r.Scope(); scope != "" {
		op.Security = append(op.Security, map[string][]string{keyScheme: {scope}})
	}
	for _, p := range r.Params {
		op.Parameters = append(op.Parameters, Parameter{
			Name: p.Name, In: string(p.In), Required: p.In == rest.InPath, Description: p.Doc, Schema: paramSchema(p)})
	}
	if r.Body != nil {
		op.RequestBody = &RequestBody{Required: true, Content: map[string]Media{mediaJSON: {b.request(r.Body.Type)}}}
	}
	op.Responses[strconv.Itoa(r.Status)] = b.good(r)
	for status, answer := range r.Also {
		op.Responses[strconv.Itoa(status)] = Response{
			Description: http.StatusText(status) + ".", Content: map[string]Media{mediaJSON: {b.answer(answer)}}}
	}
	for _, code := range r.Refusals() {
		op.Responses[strconv.Itoa(code.HTTP())] = Response{Ref: "#/components/responses/" + refusalName(code.HTTP())}
	}
	return op
}

// description adds who may call to what the route says of itself.
func description(r rest.Route) string {
	text := r.Detail
	if len(r.Who.Roles) > 0 {
		text += "\n\nFor " + strings.Join(r.Who.Roles, ", ") + "."
	}
	if scope := r.Scope(); scope != "" {
		text += "\n\nAPI keys need the scope `" + scope + "`."
	}
	return strings.TrimSpace(text)
}

// good describes the answer of success.
func (b *builder) good(r rest.Route) Response {
	res := Response{Description: "Done.", Headers: map[string]Header{}}
	if r.Answer != nil {
		res.Content = map[string]Media{cmp.Or(r.Media, mediaJSON): {b.answer(r.Answer)}}
	}
	names := append([]string{"X-Request-Id"}, r.Adds...)
	if r.Limit != "" {
		names = append(names, "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
	}
	for _, name := range names {
		res.Headers[name] = headerRef(name)
	}
	return res
}

// refusals describes each status that means no, once for all operations.
func (b *builder) refusals() map[string]Response {
	all := map[string]Response{}
	for _, kind := range problem.Kinds() {
		name := refusalName(kind.Status)
		if _, listed := all[name]; listed {
			continue
		}
		res := Response{
			Description: kind.Title + ".",
			Headers:     map[string]Header{"X-Request-Id": headerRef("X-Request-Id")},
			Content:     map[string]Media{problem.ContentType: {b.answer(reflect.TypeFor[problem.Problem]())}},
		}
		if kind.Status == http.StatusTooManyRequests || kind.Status == http.StatusServiceUnavailable {
			res.Headers["Retry-After"] = headerRef("Retry-After")
		}
		all[name] = res
	}
	return all
}

// refusalName names a status: NotFound.
func refusalName(status int) string { return strings.ReplaceAll(http.StatusText(status), " ", "") }

// headerRef refers to a header that headers describes.
func headerRef(name string) Header { return Header{Ref: "#/components/headers/" + name} }

// headers describes the response headers that operations refer to.
func headers() map[string]Header {
	text, number := &jsonschema.Schema{Type: "string"}, &jsonschema.Schema{Type: "integer"}
	return map[string]Header{
		"X-Request-Id":         {Description: "Under which the request is logged everywhere.", Schema: text},
		"Idempotency-Replayed": {Description: "`true` when an earlier request with the same key did it.", Schema: text},
		"Location":             {Description: "Where what was created can be read.", Schema: text},
		"Retry-After":          {Description: "Seconds to wait.", Schema: number},
		"RateLimit-Limit":      {Description: "Requests a second.", Schema: number},
		"RateLimit-Remaining":  {Description: "Requests that would pass now.", Schema: number},
		"RateLimit-Reset":      {Description: "Seconds until all are there again.", Schema: number},
	}
}

// paramSchema says what a parameter's kind and bounds allow. It must say the same
// as rest's parser; the test of the conventions sends what it forbids.
func paramSchema(p rest.Param) *jsonschema.Schema {
	s := &jsonschema.Schema{}
	switch p.Kind {
	case rest.UUID:
		s.Type, s.Format = "string", "uuid"
	case rest.ObjectID:
		s.Type, s.Pattern = "string", "^[0-9a-f]{24}$"
	case rest.Integer, rest.Number, rest.Boolean:
		s.Type = string(p.Kind)
	default:
		s.Type = "string"
	}
	for _, word := range p.Enum {
		s.Enum = append(s.Enum, word)
	}
	if p.Min != nil {
		s.Minimum = number(*p.Min)
	}
	if p.Max != nil {
		s.Maximum = number(*p.Max)
	}
	if p.In == rest.InHeader {
		s.MaxLength = jsonschemaLength(255)
	}
	return s
}

// number writes a bound without an exponent, as people do.
func number(n float64) json.Number { return json.Number(strconv.FormatFloat(n, 'f', -1, 64)) }

// jsonschemaLength makes a bound of a length, which the library wants as a
// pointer, so that 0 and none differ.
func jsonschemaLength(n uint64) *uint64 { return &n }

// wireForm maps the types whose JSON differs from their Go shape.
func wireForm(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[wire.Money]():
		return &jsonschema.Schema{Type: "number", MultipleOf: "0.01", Examples: []any{json.Number("12.50")}}
	case reflect.TypeFor[wire.Time]():
		return &jsonschema.Schema{Type: "string", Format: "date-time"}
	default:
		return enumForm(t)
	}
}
