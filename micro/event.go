package micro

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tiffin/wire"
)

// Headers of an event besides Nats-Msg-Id. The ce- ones are CloudEvents 1.0 in the binary mode of its NATS binding.
const (
	headerSpecVersion = "ce-specversion"
	headerEventID     = "ce-id"
	headerSource      = "ce-source"  // "tiffin/<region>"
	headerType        = "ce-type"    // the event's type
	headerSubject     = "ce-subject" // the event's key
	headerTime        = "ce-time"    // the event's time, RFC 3339
	headerContent     = "ce-datacontenttype"
	eventPrefix       = "events."
	ownHeaders        = 8 // these and Nats-Msg-Id
)

// Event is one fact, on its way to or from the stream EVENTS.
type Event struct {
	ID      string            // UUID: Nats-Msg-Id here, message_id on RabbitMQ
	Type    string            // such as "order.created"
	Region  string            // such as "us-west"
	Key     string            // what order is kept by: the order's id
	Payload json.RawMessage   // the event's JSON
	Headers map[string]string // X-Request-Id, traceparent, Tiffin-Seq: what travels along
	Time    time.Time         // when it happened, milliseconds
}

// ErrEvent says that an event cannot be put on a subject, or that a message is no event.
var ErrEvent = errors.New("not an event")

// EventSubject gives "events.<type>.<region>", such as "events.order.created.us-west". Both parts may only hold
// lower-case letters, digits, '-' and '_', the type dots between words as well; for anything else it gives "", which no
// server accepts, since a '*' or a further dot would address other events.
func EventSubject(typ, region string) string {
	for _, token := range strings.Split(typ, ".") {
		if !subjectToken(token) {
			return ""
		}
	}
	if !subjectToken(region) {
		return ""
	}
	return eventPrefix + typ + "." + region
}

// subjectToken reports whether s is safe as one token of a subject.
func subjectToken(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}

// message makes the NATS message. It returns ErrEvent for one without id or with an impossible subject.
func (e *Event) message() (*nats.Msg, error) {
	subject := EventSubject(e.Type, e.Region)
	if subject == "" || e.ID == "" {
		return nil, fmt.Errorf("%w: type %q, region %q, id %q", ErrEvent, e.Type, e.Region, e.ID)
	}
	header := make(nats.Header, ownHeaders+len(e.Headers))
	values := make([]string, 0, ownHeaders+len(e.Headers)) // one array for all the lists of one
	set := func(name, value string) {
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	for name, value := range e.Headers {
		set(name, value)
	}
	set(jetstream.MsgIDHeader, e.ID)
	set(headerSpecVersion, "1.0")
	set(headerEventID, e.ID)
	set(headerSource, "tiffin/"+e.Region)
	set(headerType, e.Type)
	set(headerContent, "application/json")
	set(headerTime, wire.At(e.Time).String())
	if e.Key != "" {
		set(headerSubject, e.Key)
	}
	return &nats.Msg{Subject: subject, Header: header, Data: e.Payload}, nil
}

// ParseEvent reads a message of the stream EVENTS. Key and Time may be missing; it returns ErrEvent when subject or id is.
func ParseEvent(subject string, header nats.Header, data []byte) (Event, error) {
	rest, found := strings.CutPrefix(subject, eventPrefix)
	dot := strings.LastIndexByte(rest, '.')
	id := header.Get(jetstream.MsgIDHeader)
	if !found || dot <= 0 || id == "" {
		return Event{}, fmt.Errorf("%w: subject %q, id %q", ErrEvent, subject, id)
	}
	e := Event{ID: id, Type: rest[:dot], Region: rest[dot+1:], Key: header.Get(headerSubject), Payload: data}
	if at, err := time.Parse(time.RFC3339Nano, header.Get(headerTime)); err == nil {
		e.Time = at.UTC()
	}
	for name, values := range header {
		if len(values) > 0 && travels(name) {
			if e.Headers == nil {
				e.Headers = make(map[string]string, 4)
			}
			e.Headers[name] = values[0]
		}
	}
	return e, nil
}

// travels reports whether a header belongs to the event, and not to NATS or to the fields of Event.
func travels(name string) bool {
	return !strings.HasPrefix(name, "Nats-") && !strings.HasPrefix(name, "ce-")
}
