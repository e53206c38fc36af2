// Package problem turns errors into RFC 9457 problem details, the one form in
// which the edge reports failure.
//
// Invariant: nothing reaches the client but messages that were written for
// clients. An error of an unknown type becomes "internal error", whatever it
// says.
package problem

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"tiffin/micro"
	"tiffin/wire"
)

// ContentType is the media type of every error body.
const ContentType = "application/problem+json"

// Problem is the body of an error answer.
type Problem struct {
	Type     string             `json:"type"`             // URI reference naming the kind; documented at /docs
	Title    string             `json:"title"`            // what the kind means, the same for each occurrence
	Status   int                `json:"status"`           // the HTTP status
	Detail   string             `json:"detail,omitempty"` // what went wrong this time
	Instance string             `json:"instance"`         // the request id
	Errors   *[]wire.FieldError `json:"errors,omitzero"`  // the invalid fields, on 422
	Allowed  *[]string          `json:"allowed,omitzero"` // the moves open to the caller now, on an illegal one (409)

	// RetryAfter says when to come back, sent as a header only.
	RetryAfter time.Duration `json:"-"`
}

// Kind is a class of problems.
type Kind struct {
	Slug   string // last part of the type
	Status int
	Title  string
}

// The kinds beyond those of micro.Code, for what happens before a service is
// asked.
var (
	kindMethod  = Kind{"method-not-allowed", http.StatusMethodNotAllowed, "The resource does not support this method"}
	kindHeaders = Kind{"headers-too-large", http.StatusRequestHeaderFieldsTooLarge, "The request's headers are too large"}
	kindSlow    = Kind{"request-timeout", http.StatusRequestTimeout, "The request took too long to arrive"}
)

// byCode gives the kind of each code. Its order is that of the documentation.
var byCode = []struct {
	Code micro.Code
	Kind Kind
}{
	{micro.CodeMalformed, Kind{"malformed", 400, "The request cannot be read"}},
	{micro.CodeUnauthenticated, Kind{"unauthenticated", 401, "A valid token is required"}},
	{micro.CodeForbidden, Kind{"forbidden", 403, "The role may not do this"}},
	{micro.CodeNotFound, Kind{"not-found", 404, "There is no such thing, or it is not yours to see"}},
	{micro.CodeConflict, Kind{"conflict", 409, "The current state does not allow this"}},
	{micro.CodeTooLarge, Kind{"too-large", 413, "The body is too large"}},
	{micro.CodeUnsupported, Kind{"unsupported-media-type", 415, "Only plain JSON is understood"}},
	{micro.CodeInvalid, Kind{"invalid", 422, "One or more values are invalid"}},
	{micro.CodeLimited, Kind{"rate-limited", 429, "Too many requests"}},
	{micro.CodeInternal, Kind{"internal", 500, "Something went wrong here"}},
	{micro.CodeUnavailable, Kind{"unavailable", 503, "A part of the service is unavailable"}},
	{micro.CodeTimeout, Kind{"timeout", 503, "A part of the service did not answer in time"}},
}

// Kinds lists every kind a client may meet, for the documentation.
func Kinds() []Kind {
	kinds := make([]Kind, 0, len(byCode)+3)
	for _, k := range byCode {
		kinds = append(kinds, k.Kind)
	}
	return append(kinds, kindMethod, kindHeaders, kindSlow)
}

// KindOf gives the kind of a code, internal for an unknown one.
func KindOf(code micro.Code) Kind {
	for _, k := range byCode {
		if k.Code == code {
			return k.Kind
		}
	}
	return KindOf(micro.CodeInternal)
}

// TypeURI gives the type of a slug: a reference into the documentation that the
// edge itself serves.
func TypeURI(slug string) string { return "/docs#problem-" + slug }

// From describes err to the client whose request has the given id.
func From(err error, requestID string) Problem {
	var routing *fiber.Error
	if errors.As(err, &routing) {
		return fromRouting(routing, requestID)
	}
	e := micro.From(err)
	kind := KindOf(e.Code)
	p := kind.problem(requestID)
	p.Detail, p.RetryAfter = e.Message, e.RetryAfter
	if e.Code == micro.CodeInternal {
		p.Detail = ""
	}
	if e.Type != "" {
		p.Type = TypeURI(e.Type)
	}
	if len(e.Fields) > 0 {
		fields := e.Fields
		p.Errors = &fields
	}
	if e.Allowed != nil {
		allowed := e.Allowed
		p.Allowed = &allowed
	}
	if p.RetryAfter <= 0 && (p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests) {
		p.RetryAfter = time.Second
	}
	return p
}

// fromRouting describes what Fiber and fasthttp refuse before a handler runs.
// Their texts repeat the request and name internals, so only the status is
// taken over.
func fromRouting(err *fiber.Error, requestID string) Problem {
	switch err.Code {
	case http.StatusNotFound:
		p := KindOf(micro.CodeNotFound).problem(requestID)
		p.Detail = "no such path"
		return p
	case http.StatusMethodNotAllowed:
		return kindMethod.problem(requestID)
	case http.StatusRequestHeaderFieldsTooLarge:
		return kindHeaders.problem(requestID)
	case http.StatusRequestTimeout:
		return kindSlow.problem(requestID)
	case http.StatusRequestEntityTooLarge:
		return KindOf(micro.CodeTooLarge).problem(requestID)
	case http.StatusUpgradeRequired, http.StatusBadRequest, http.StatusBadGateway:
		return KindOf(micro.CodeMalformed).problem(requestID)
	default:
		return statusOnly(err.Code, requestID)
	}
}

// statusOnly covers statuses that no rule of ours produces; a middleware of
// Fiber's may.
func statusOnly(status int, requestID string) Problem {
	for _, k := range byCode {
		if k.Kind.Status == status {
			return k.Kind.problem(requestID)
		}
	}
	if status >= 400 && status < 500 && http.StatusText(status) != "" {
		slug := strings.NewReplacer(" ", "-", "'", "").Replace(strings.ToLower(http.StatusText(status)))
		return Kind{slug, status, http.StatusText(status)}.problem(requestID)
	}
	return KindOf(micro.CodeInternal).problem(requestID)
}

// problem begins a problem of this kind.
func (k Kind) problem(requestID string) Problem {
	return Problem{Type: TypeURI(k.Slug), Title: k.Title, Status: k.Status, Instance: requestID}
}

// Write answers the request with the problem.
func (p Problem) Write(c *fiber.Ctx) error {
	body, err := wire.Encode(p)
	if err != nil {
		return err
	}
	if p.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, Seconds(p.RetryAfter))
	}
	if p.Status == http.StatusTooManyRequests { // also when a service refused, which knows nothing of these headers
		c.Set("RateLimit-Remaining", "0")
		c.Set("RateLimit-Reset", Seconds(p.RetryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="tiffin"`)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, ContentType)
	return c.Status(p.Status).Send(body)
}

// Seconds gives a duration as HTTP headers want it: whole seconds, rounded up,
// so that nobody comes back too early.
func Seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}
