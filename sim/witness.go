package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Witness is told what goes over the wire, as it goes: the clients' own record of what the fleet promised them, which a
// fault campaign compares with what the fleet has. Its methods are called from many goroutines and must not wait.
type Witness interface {
	// Asked is told of every try of a request when it has ended.
	Asked(Request)
	// Said is told of every message of a socket: before it is sent, and when it was received.
	Said(Frame)
}

// Request is one try of one HTTP request.
type Request struct {
	City    string // of who asks, "San Francisco, CA"; empty for who is nowhere
	Account string // user id, empty for strangers
	Method  string
	Path    string // with the query
	Key     string // Idempotency-Key, if any
	Began   time.Time
	Took    time.Duration
	Status  int    // 0: no answer came
	GaveUp  bool   // it was the asker who did not wait for one, since the play is over
	Body    []byte // of the answer
}

// Frame is one message of a socket.
type Frame struct {
	Account    string
	Connection uint64 // each connection has a number of its own
	Sent       bool   // by the client; else received
	At         time.Time
	ID         string // of what wants an answer, and of the answer
	Event      string // empty in answers
	Data       json.RawMessage
	Refused    bool // the answer is an error
}

// witness tells of a request that has ended.
func (a *api) witness(c call, began time.Time, status int, body []byte, gaveUp bool) {
	if a.seen == nil {
		return
	}
	a.seen.Asked(Request{
		City: c.city, Account: c.account, Method: c.method, Path: c.path, Key: c.header[headerKey],
		Began: began, Took: time.Since(began), Status: status, Body: body, GaveUp: gaveUp,
	})
}

// witnessFrame tells of a message on a connection.
func (a *api) witnessFrame(s *socket, number uint64, m message, sent bool) {
	if a.seen == nil {
		return
	}
	a.seen.Said(Frame{
		Account: s.account.id(), Connection: number, Sent: sent, At: time.Now(), ID: m.ID, Event: m.Event, Data: m.Data,
		Refused: m.Error != nil,
	})
}

// headerKey makes a request that may arrive twice count once.
const headerKey = "Idempotency-Key"

// Placing reports whether the request places an order.
func (r Request) Placing() bool { return r.Method == http.MethodPost && r.Path == "/orders" }

// Accepting gives the order that the request accepts the offer of, "" when it does something else.
func (r Request) Accepting() string {
	id, accepts := strings.CutSuffix(strings.TrimPrefix(r.Path, "/delivery/"), "/accept")
	if r.Method != http.MethodPost || !accepts {
		return ""
	}
	return id
}
