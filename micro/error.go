package micro

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tiffin/wire"
)

// Code is the kind of an error. There are few, and each has one HTTP status.
type Code string

// The codes, with the HTTP status each one has at the edge and in the header Nats-Service-Error-Code.
const (
	CodeMalformed       Code = "malformed"       // 400: no JSON
	CodeUnauthenticated Code = "unauthenticated" // 401
	CodeForbidden       Code = "forbidden"       // 403: the role may not
	CodeNotFound        Code = "not_found"       // 404: absent, or not the caller's to see
	CodeConflict        Code = "conflict"        // 409
	CodeTooLarge        Code = "too_large"       // 413
	CodeUnsupported     Code = "unsupported"     // 415
	CodeInvalid         Code = "invalid"         // 422
	CodeLimited         Code = "limited"         // 429
	CodeInternal        Code = "internal"        // 500: a fault of ours, hidden from clients
	CodeUnavailable     Code = "unavailable"     // 503: a dependency is down or full; nothing was done
	CodeTimeout         Code = "timeout"         // 503: no answer in time; it is unknown whether something was done
)

// HTTP gives the status of the code, 500 for an unknown one.
func (c Code) HTTP() int {
	switch c {
	case CodeMalformed:
		return http.StatusBadRequest
	case CodeUnauthenticated:
		return http.StatusUnauthorized
	case CodeForbidden:
		return http.StatusForbidden
	case CodeNotFound:
		return http.StatusNotFound
	case CodeConflict:
		return http.StatusConflict
	case CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case CodeUnsupported:
		return http.StatusUnsupportedMediaType
	case CodeInvalid:
		return http.StatusUnprocessableEntity
	case CodeLimited:
		return http.StatusTooManyRequests
	case CodeUnavailable, CodeTimeout:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// codeOfHTTP is the way back for answers that carry a status but no body of ours. 503 reads as unavailable.
func codeOfHTTP(status int) Code {
	for _, c := range []Code{
		CodeMalformed, CodeUnauthenticated, CodeForbidden, CodeNotFound, CodeConflict, CodeTooLarge,
		CodeUnsupported, CodeInvalid, CodeLimited, CodeUnavailable,
	} {
		if c.HTTP() == status {
			return c
		}
	}
	return CodeInternal
}

// Error is the one error type that crosses the wire. Message is for the client: it never holds internals.
type Error struct {
	Code       Code
	Message    string
	Fields     []wire.FieldError // on CodeInvalid
	Allowed    []string          // on CodeConflict: the moves open to the caller now
	RetryAfter time.Duration     // when to come back, whole seconds on the wire, 0 = unsaid
	Type       string            // slug of an own problem type, "" = the code's
	cause      error             // never leaves the process
}

// E makes an error with a message for the client.
func E(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// NotFound says that the thing named (such as "order") is absent or not the caller's to see.
func NotFound(what string) *Error { return E(CodeNotFound, "%s not found", what) }

// Conflict says that the state of things does not allow the request.
func Conflict(format string, args ...any) *Error { return E(CodeConflict, format, args...) }

// Forbidden says that the caller's role may not do this.
func Forbidden(format string, args ...any) *Error { return E(CodeForbidden, format, args...) }

// Unavailable says that a dependency is down and nothing was done. The cause is kept for the log only.
func Unavailable(cause error, format string, args ...any) *Error {
	e := E(CodeUnavailable, format, args...)
	e.cause, e.RetryAfter = cause, time.Second
	return e
}

// Error gives code and message, and the cause when it is still in the process that has it.
func (e *Error) Error() string {
	if e.cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

// Is reports whether target is an *Error of the same code, so that errors.Is works on both sides of the wire.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Unwrap gives the cause, nil on the far side of the wire.
func (e *Error) Unwrap() error { return e.cause }

// unavailable is what errors of packages below the kit implement to be answered with 503 instead of 500.
type unavailable interface{ Unavailable() bool }

// From turns any error into an *Error: wire.Invalid and wire.Malformed by their kind, an ended context into timeout,
// errors with Unavailable() true into unavailable, and anything else into internal with a hidden cause. nil stays nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var (
		own       *Error
		invalid   wire.Invalid
		malformed wire.Malformed
		down      unavailable
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &invalid):
		return &Error{Code: CodeInvalid, Message: "one or more fields are invalid", Fields: invalid, cause: err}
	case errors.As(err, &malformed):
		return &Error{Code: CodeMalformed, Message: malformed.Error(), cause: err}
	case errors.As(err, &down) && down.Unavailable():
		return Unavailable(err, "a dependency is unavailable")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{Code: CodeTimeout, Message: "no answer in time", RetryAfter: time.Second, cause: err}
	default:
		return &Error{Code: CodeInternal, Message: "internal error", cause: err}
	}
}

// CodeOf gives the code of any error, "" for nil and internal for an unknown one.
func CodeOf(err error) Code {
	if e := From(err); e != nil {
		return e.Code
	}
	return ""
}
