package micro

import (
	"context"
	"strings"

	"github.com/nats-io/nats.go"
)

// The headers of requests. They are a contract between roles; names are case-sensitive on NATS.
const (
	HeaderActor     = "Tiffin-Actor"    // "<role> <id>"
	HeaderDeadline  = "Tiffin-Deadline" // Unix milliseconds after which nobody waits for the answer
	HeaderRequestID = "X-Request-Id"
)

// Roles of actors that are nobody's account. The roles of accounts belong to the service auth.
const (
	RoleAnonymous = "anonymous" // a client without a token
	RoleService   = "service"   // a service on its own behalf; the id is its name
	RoleOperator  = "operator"  // somebody with the ops password, over plain NATS
)

// Actor is the end user on whose behalf a request is made. Services authorize by it, never by the calling service.
type Actor struct{ ID, Role string }

// parseActor reads the header. Without it the request came from ops over plain NATS, since the kit's client always
// sets it and only fleet roles may publish to endpoints: that is the operator. A header without a role is anonymous.
func parseActor(values []string) Actor {
	if len(values) == 0 {
		return Actor{Role: RoleOperator, ID: "ops"}
	}
	role, id, _ := strings.Cut(values[0], " ")
	if role == "" {
		return Actor{Role: RoleAnonymous}
	}
	return Actor{Role: role, ID: id}
}

// String gives the header form, "<role> <id>" or "<role>".
func (a Actor) String() string {
	if a.ID == "" {
		return a.Role
	}
	return a.Role + " " + a.ID
}

type (
	actorKey     struct{}
	requestIDKey struct{}
	outgoingKey  struct{}
	incomingKey  struct{}
)

// outgoing is a linked list, newest first: contexts add a header or two, and a map would have to be copied each time.
type outgoing struct {
	name, value string
	parent      *outgoing
}

// ActorFrom gives the actor of the request, anonymous when there is none.
func ActorFrom(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(*Actor); ok {
		return *a
	}
	return Actor{Role: RoleAnonymous}
}

// WithActor sets on whose behalf calls with this context are made.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, &a)
}

// RequestID gives the id under which the request is logged everywhere, "" when there is none.
func RequestID(ctx context.Context) string {
	if id, ok := ctx.Value(requestIDKey{}).(*string); ok {
		return *id
	}
	return ""
}

// WithRequestID sets the request id that calls with this context carry.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, &id)
}

// Header gives a header set by WithHeader or, in a handler, one of the request; "" when absent. Names are case-sensitive.
func Header(ctx context.Context, name string) string {
	if list, ok := ctx.Value(outgoingKey{}).(*outgoing); ok {
		for ; list != nil; list = list.parent {
			if list.name == name {
				return list.value
			}
		}
	}
	if header, ok := ctx.Value(incomingKey{}).(nats.Header); ok {
		return header.Get(name)
	}
	return ""
}

// WithHeader adds a header, such as "Idempotency-Key", that calls with this context carry. The newest value wins.
// Headers that arrived with a request are not forwarded by themselves: a key for one command is none for the next.
func WithHeader(ctx context.Context, name, value string) context.Context {
	parent, ok := ctx.Value(outgoingKey{}).(*outgoing)
	if !ok {
		parent = nil
	}
	return context.WithValue(ctx, outgoingKey{}, &outgoing{name, value, parent})
}
