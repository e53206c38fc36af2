package micro

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// incoming is the context of a request. It is one allocation for what would be five nested contexts, and it makes its
// timer only when somebody waits for the deadline: most endpoints that answer from memory never do, and for them timer
// and registration cost as much as reading the request.
type incoming struct {
	parent    context.Context
	deadline  time.Time
	actor     Actor
	requestID string // the caller's, or made by id
	header    nats.Header

	named  sync.Once
	once   sync.Once
	timed  context.Context // made by wait
	cancel context.CancelFunc
}

// newIncoming reads the headers of a request.
func newIncoming(parent context.Context, header nats.Header, deadline time.Time) *incoming {
	return &incoming{
		parent: parent, deadline: deadline, actor: parseActor(header[HeaderActor]), requestID: header.Get(HeaderRequestID), header: header,
	}
}

// id gives the request's id. One that came without gets it here, so that its log lines join up: few are ever asked.
func (c *incoming) id() *string {
	c.named.Do(func() {
		if c.requestID == "" {
			c.requestID = nuid.Next()
		}
	})
	return &c.requestID
}

// wait gives the context with the timer.
func (c *incoming) wait() context.Context {
	c.once.Do(func() { c.timed, c.cancel = context.WithDeadline(c.parent, c.deadline) })
	return c.timed
}

// finish ends the context when its request has been answered. Whoever kept it sees it cancelled.
func (c *incoming) finish() {
	c.once.Do(func() { c.timed, c.cancel = canceled, func() {} })
	c.cancel()
}

// canceled is what finish leaves of a context that nobody waited for.
var canceled = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Deadline is the caller's, or the endpoint's own when that is earlier.
func (c *incoming) Deadline() (time.Time, bool) { return c.deadline, true }

// Done is closed at the deadline, when the request has been answered, or when a drain took too long.
func (c *incoming) Done() <-chan struct{} { return c.wait().Done() }

// Err says why Done is closed.
func (c *incoming) Err() error { return c.wait().Err() }

// expired is Err without making the timer.
func (c *incoming) expired(now time.Time) error {
	if !now.Before(c.deadline) {
		return context.DeadlineExceeded
	}
	return c.parent.Err()
}

// Value answers for the keys of this package. Others are asked of the timed context, where package context finds its
// own parent link, without which every derived context would cost a goroutine.
func (c *incoming) Value(key any) any {
	switch key.(type) {
	case actorKey:
		return &c.actor
	case requestIDKey:
		return c.id()
	case incomingKey:
		return c.header
	case outgoingKey:
		return nil // the parent is the service's, and has none
	default:
		return c.wait().Value(key)
	}
}
