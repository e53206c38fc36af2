package rest

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"tiffin/micro"
)

// Route is one row of the contract.
type Route struct {
	Method  string // GET, POST, PATCH, DELETE
	Path    string // in Fiber's form: /orders/:id
	Tag     string // heading it is documented under
	Summary string // one line
	Detail  string // more, if there is more to know

	Who    Who
	Limit  Limit
	Params []Param              // of path, query and header
	Body   *Body                // nil: the request has none
	Status int                  // of the good answer
	Answer reflect.Type         // of the good answer, nil: it has no body
	Also   map[int]reflect.Type // other answers that are no refusals, by status
	Media  string               // media type of the answer, "": application/json
	Codes  []micro.Code         // refusals besides those that the fields above imply, see Refusals
	Adds   []string             // response headers of its own
	Probe  bool                 // served outside the pipeline: nothing is refused

	target  target
	handler func(*call) error // overrides forwarding to target
}

// Who says which callers a route is for.
type Who struct {
	SignedIn bool
	Roles    []string // empty: every role
}

// anyone needs no token; a bad one is ignored, so that an expired session can
// still sign in again.
var anyone = Who{}

// signedIn needs a token of any role.
var signedIn = Who{SignedIn: true}

// only needs a token of one of the roles.
func only(roles ...string) Who { return Who{SignedIn: true, Roles: roles} }

// May reports whether a signed-in caller of the role may try.
func (w Who) May(role string) bool { return len(w.Roles) == 0 || slices.Contains(w.Roles, role) }

// Limit is the group of a route's rate limit.
type Limit string

// The groups. All but LimitLocation count per client address and per signed-in
// user.
const (
	LimitGeneral  Limit = "general"
	LimitAuth     Limit = "auth"
	LimitOrders   Limit = "orders"
	LimitLocation Limit = "location" // per rider; like LimitGeneral for a caller without a token
)

// target is the endpoint that a route forwards to.
type target struct {
	subject string
	again   bool         // may be tried twice, see micro.CallIdempotent
	alike   bool         // answers the same to everybody, unless a parameter is Personal
	request reflect.Type // what the endpoint takes; the route's fields must all be in it
}

// once forwards to an endpoint that must not run twice.
func (r Route) once(subject string, request reflect.Type) Route {
	r.target = target{subject: subject, request: request}
	return r
}

// again forwards to an endpoint that may run twice.
func (r Route) again(subject string, request reflect.Type) Route {
	r.target = target{subject: subject, again: true, request: request}
	return r
}

// alike says that the endpoint answers the same to everybody who asks the same,
// whoever they are.
func (r Route) alike() Route {
	r.target.alike = true
	return r
}

// Refusals lists every code the route may answer with, each once, by status.
func (r Route) Refusals() []micro.Code {
	if r.Probe {
		return nil
	}
	codes := []micro.Code{micro.CodeInternal, micro.CodeUnavailable, micro.CodeTimeout}
	if r.Limit != "" {
		codes = append(codes, micro.CodeLimited)
	}
	// A bad API key is refused everywhere, and so are a key and a token at once.
	codes = append(codes, micro.CodeMalformed, micro.CodeUnauthenticated)
	if !r.public() {
		codes = append(codes, micro.CodeForbidden)
	}
	for _, p := range r.Params {
		switch p.In {
		case InPath:
			codes = append(codes, micro.CodeNotFound)
		case InQuery:
			codes = append(codes, micro.CodeInvalid)
		case InHeader:
			codes = append(codes, micro.CodeMalformed)
		}
	}
	if r.Body != nil {
		codes = append(codes, micro.CodeMalformed, micro.CodeTooLarge, micro.CodeUnsupported, micro.CodeInvalid)
	}
	codes = append(codes, r.Codes...)
	slices.SortFunc(codes, func(a, b micro.Code) int {
		return cmp.Or(cmp.Compare(a.HTTP(), b.HTTP()), cmp.Compare(a, b))
	})
	return slices.Compact(codes)
}

// ID names the operation for generated clients: orderGet for what becomes
// order.get, getCities for what stays here.
func (r Route) ID() string {
	words := strings.FieldsFunc(r.target.subject, func(c rune) bool { return c == '.' || c == '-' })
	if len(words) == 0 {
		words = append([]string{strings.ToLower(r.Method)}, strings.FieldsFunc(r.Path, func(c rune) bool {
			return c == '/' || c == ':' || c == '.'
		})...)
	}
	for i := 1; i < len(words); i++ {
		words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
	}
	return strings.Join(words, "")
}
