package micro

import (
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"

	"tiffin/wire"
)

// errorBody is an Error as JSON in the body of an error answer. RetryAfter is in whole seconds, rounded up.
type errorBody struct {
	Code       Code              `json:"code"`
	Message    string            `json:"message"`
	Fields     []wire.FieldError `json:"fields,omitempty"`
	Allowed    []string          `json:"allowed,omitzero"` // an empty list says "none", nil says nothing
	RetryAfter int               `json:"retryAfter,omitzero"`
	Type       string            `json:"type,omitempty"`
}

// encodeError writes what may leave the process: everything but the cause.
func encodeError(e *Error) ([]byte, error) {
	return wire.Encode(errorBody{
		e.Code, e.Message, e.Fields, e.Allowed, int(math.Ceil(e.RetryAfter.Seconds())), e.Type,
	})
}

// decodeError gives the error in an answer, nil for a good one. A service that is not ours has headers only.
func decodeError(msg *nats.Msg) error {
	status := msg.Header.Get(natsmicro.ErrorCodeHeader)
	if status == "" {
		return nil
	}
	var body errorBody
	if err := json.Unmarshal(msg.Data, &body); err == nil && body.Code != "" {
		retry := time.Duration(body.RetryAfter) * time.Second
		return &Error{
			Code: body.Code, Message: body.Message, Fields: body.Fields, Allowed: body.Allowed, RetryAfter: retry, Type: body.Type,
		}
	}
	n, err := strconv.Atoi(status)
	if err != nil {
		n = 0 // no number: codeOfHTTP makes it internal
	}
	return E(codeOfHTTP(n), "%s", msg.Header.Get(natsmicro.ErrorHeader))
}
