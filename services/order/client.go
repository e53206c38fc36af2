package order

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tiffin/micro"
)

// The service's name, version and verbs, as nats micro shows them.
const (
	ServiceName    = "order"
	ServiceVersion = "1.0.0"

	VerbCreate   = "create"
	VerbGet      = "get"
	VerbList     = "list"
	VerbStatus   = "status"
	VerbHistory  = "history"
	VerbUpdates  = "updates"
	VerbOverview = "overview"
)

// HeaderIdempotencyKey is the request header that makes a create repeatable without a second order.
const HeaderIdempotencyKey = "Idempotency-Key"

// CreateTimeout is how long a create may take: a duplicate in flight waits up to KeyWait for the first one.
const CreateTimeout = KeyWait + 4*time.Second

// Subject returns the subject of one of the verbs above.
func Subject(verb string) string { return ServiceName + "." + verb }

// Client calls the order service. It is safe for concurrent use; all its methods return *micro.Error. Orders that are
// not the actor's to see are not_found.
type Client struct{ micro *micro.Client }

// NewClient returns a client that sends over c.
func NewClient(c *micro.Client) *Client { return &Client{micro: c} }

// Create places an order for the actor: forbidden unless a customer; invalid for a drop-off out of range or a city of
// another region; conflict for an inactive restaurant, an unavailable dish, or a first request of the same key that is
// still running; invalid with Type TypeKeyMismatch for a key that was used with another body.
//
// A request with a key is tried a second time when nobody could answer the first. Without one it never is, because the
// first try may have placed the order.
func (c *Client) Create(ctx context.Context, req CreateRequest) (Created, error) {
	return create[CreateRequest, Created](ctx, c, req)
}

// CreateJSON is Create for whoever has the request as JSON and passes the answer, a Created, on.
func (c *Client) CreateJSON(ctx context.Context, req jsontext.Value) (jsontext.Value, error) {
	return create[jsontext.Value, jsontext.Value](ctx, c, req)
}

func create[Req, Res any](ctx context.Context, c *Client, req Req) (Res, error) {
	try := func(limit time.Duration) (Res, error) {
		return micro.CallWithin[Req, Res](ctx, c.micro, Subject(VerbCreate), req, limit)
	}
	// Longer than a duplicate waits, so that the second try does not become a duplicate of the first.
	const once = KeyWait + time.Second
	began := time.Now()
	created, err := try(once)
	switch micro.CodeOf(err) {
	case micro.CodeTimeout, micro.CodeUnavailable:
		if left := CreateTimeout - time.Since(began); left > 0 && micro.Header(ctx, HeaderIdempotencyKey) != "" {
			return try(min(once, left))
		}
	}
	return created, err
}

// Get returns one order.
func (c *Client) Get(ctx context.Context, id string) (Order, error) {
	return micro.CallIdempotent[GetRequest, Order](ctx, c.micro, Subject(VerbGet), GetRequest{ID: id})
}

// List returns a page of orders, newest first: forbidden for a customer who asks for somebody else's.
func (c *Client) List(ctx context.Context, req ListRequest) (ListResponse, error) {
	return micro.CallIdempotent[ListRequest, ListResponse](ctx, c.micro, Subject(VerbList), req)
}

// Status moves an order to another state: forbidden when the actor's role never may make the move, conflict with
// Allowed when the state does not allow it. Repeating it is harmless.
func (c *Client) Status(ctx context.Context, req StatusRequest) (Order, error) {
	return micro.CallIdempotent[StatusRequest, Order](ctx, c.micro, Subject(VerbStatus), req)
}

// History returns every transition of one order, oldest first.
func (c *Client) History(ctx context.Context, id string) (HistoryResponse, error) {
	return micro.CallIdempotent[HistoryRequest, HistoryResponse](ctx, c.micro, Subject(VerbHistory), HistoryRequest{ID: id})
}

// Updates returns where an order stands and every change after since (nil: none of them).
func (c *Client) Updates(ctx context.Context, id string, since *int64) (Updates, error) {
	return micro.CallIdempotent[UpdatesRequest, Updates](ctx, c.micro, Subject(VerbUpdates), UpdatesRequest{ID: id, Since: since})
}

// Overview returns the figures of the operations page: forbidden unless the actor is an administrator.
func (c *Client) Overview(ctx context.Context) (Overview, error) {
	return micro.CallIdempotent[OverviewRequest, Overview](ctx, c.micro, Subject(VerbOverview), OverviewRequest{})
}
