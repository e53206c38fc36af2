package tracking

import (
	"context"

	"tiffin/micro"
)

// The service's name, version and verbs, as nats micro shows them.
const (
	ServiceName    = "tracking"
	ServiceVersion = "1.0.0"

	VerbLocation  = "location"
	VerbLocations = "locations"
	VerbGet       = "get"
	VerbCarry     = "carry"
	VerbRelease   = "release"
)

// Subject returns the subject of one of the verbs above.
func Subject(verb string) string { return ServiceName + "." + verb }

// OrderKey is the Redis key of the latest fix of an order's rider: the JSON of a Location, with a TTL.
func OrderKey(orderID string) string { return "tracking:order:" + orderID }

// LiveChannel is the Redis channel of everything that happens to an order: {"event": "location-updated" or
// "order-updated", "data": a Location or an order.Update}.
func LiveChannel(orderID string) string { return liveChannelPrefix + orderID }

const liveChannelPrefix = "tracking:live:"

// OrderOfChannel is the way back from LiveChannel, false for a foreign channel.
func OrderOfChannel(channel string) (string, bool) {
	if len(channel) <= len(liveChannelPrefix) || channel[:len(liveChannelPrefix)] != liveChannelPrefix {
		return "", false
	}
	return channel[len(liveChannelPrefix):], true
}

// Client calls the tracking service. It is safe for concurrent use; all its methods return *micro.Error.
type Client struct{ micro *micro.Client }

// NewClient returns a client that sends over c.
func NewClient(c *micro.Client) *Client { return &Client{micro: c} }

// Location hands in a fix on behalf of the rider who is the actor: not_found for another rider, forbidden for an order
// the rider does not carry, limited when fixes come too fast, unavailable while Redis is away.
func (c *Client) Location(ctx context.Context, req LocationRequest) (LocationResponse, error) {
	return micro.Call[LocationRequest, LocationResponse](ctx, c.micro, Subject(VerbLocation), req)
}

// Locations hands in fixes of many riders, in the caller's own name: forbidden for all but services.
func (c *Client) Locations(ctx context.Context, req LocationsRequest) (LocationsResponse, error) {
	return micro.Call[LocationsRequest, LocationsResponse](ctx, c.micro, Subject(VerbLocations), req)
}

// Get returns what the actor may know about an order's whereabouts: not_found for an order that is not theirs to see.
func (c *Client) Get(ctx context.Context, orderID string) (View, error) {
	return micro.CallIdempotent[GetRequest, View](ctx, c.micro, Subject(VerbGet), GetRequest{OrderID: orderID})
}

// Carry tells that a rider accepted or picked up an order. It is a hint: the events say the same, later.
func (c *Client) Carry(ctx context.Context, req CarryRequest) error {
	_, err := micro.Call[CarryRequest, Done](ctx, c.micro, Subject(VerbCarry), req)
	return err
}

// Release tells that a rider carries an order no longer. It is a hint: the events say the same, later.
func (c *Client) Release(ctx context.Context, req ReleaseRequest) error {
	_, err := micro.Call[ReleaseRequest, Done](ctx, c.micro, Subject(VerbRelease), req)
	return err
}
