package restaurant

import (
	"context"

	"tiffin/micro"
)

// The service's name, version and subjects, as nats micro shows them.
const (
	ServiceName    = "restaurant"
	ServiceVersion = "1.0.0"

	VerbList       = "list"
	VerbGet        = "get"
	VerbMenu       = "menu"
	VerbCreate     = "create"
	VerbUpdate     = "update"
	VerbMenuAdd    = "menu-add"
	VerbMenuUpdate = "menu-update"
	VerbMenuDelete = "menu-delete"
	VerbQuote      = "quote"
	VerbQuotes     = "quotes"
)

// Subject returns the subject of one of the verbs above.
func Subject(verb string) string { return ServiceName + "." + verb }

// Client calls the restaurant service. It is safe for concurrent use; all its methods return *micro.Error.
type Client struct{ micro *micro.Client }

// NewClient returns a client that sends over c.
func NewClient(c *micro.Client) *Client { return &Client{micro: c} }

// List returns a page of restaurants.
func (c *Client) List(ctx context.Context, req ListRequest) (ListResponse, error) {
	return micro.CallIdempotent[ListRequest, ListResponse](ctx, c.micro, Subject(VerbList), req)
}

// Get returns one restaurant: not_found when there is none of that id.
func (c *Client) Get(ctx context.Context, id string) (Restaurant, error) {
	return micro.CallIdempotent[GetRequest, Restaurant](ctx, c.micro, Subject(VerbGet), GetRequest{ID: id})
}

// Menu returns the menu of one restaurant: not_found when there is none of that id.
func (c *Client) Menu(ctx context.Context, restaurantID string) (MenuResponse, error) {
	return micro.CallIdempotent[MenuRequest, MenuResponse](ctx, c.micro, Subject(VerbMenu), MenuRequest{RestaurantID: restaurantID})
}

// Create opens a restaurant owned by the actor: forbidden unless the actor is an owner or an administrator.
func (c *Client) Create(ctx context.Context, req CreateRequest) (Restaurant, error) {
	return micro.Call[CreateRequest, Restaurant](ctx, c.micro, Subject(VerbCreate), req)
}

// Update changes a restaurant: forbidden to everybody but its owner and administrators, as for the menu below.
func (c *Client) Update(ctx context.Context, id string, changes Changes) (Restaurant, error) {
	return micro.CallIdempotent[UpdateRequest, Restaurant](ctx, c.micro, Subject(VerbUpdate), UpdateRequest{ID: id, Changes: changes})
}

// MenuAdd adds a dish.
func (c *Client) MenuAdd(ctx context.Context, restaurantID string, fields ItemFields) (MenuItem, error) {
	return micro.Call[MenuAddRequest, MenuItem](ctx, c.micro, Subject(VerbMenuAdd),
		MenuAddRequest{RestaurantID: restaurantID, ItemFields: fields})
}

// MenuUpdate changes a dish: not_found when it is not on that restaurant's menu.
func (c *Client) MenuUpdate(ctx context.Context, restaurantID, itemID string, changes ItemChanges) (MenuItem, error) {
	return micro.CallIdempotent[MenuUpdateRequest, MenuItem](ctx, c.micro, Subject(VerbMenuUpdate),
		MenuUpdateRequest{RestaurantID: restaurantID, ItemID: itemID, ItemChanges: changes})
}

// MenuDelete takes a dish off the menu: not_found when it is not (or no longer) there.
func (c *Client) MenuDelete(ctx context.Context, restaurantID, itemID string) error {
	_, err := micro.Call[MenuDeleteRequest, MenuDeleteResponse](ctx, c.micro, Subject(VerbMenuDelete),
		MenuDeleteRequest{RestaurantID: restaurantID, ItemID: itemID})
	return err
}

// Quote returns what the dishes cost now: not_found for an unknown restaurant, invalid for a dish it does not serve.
// The prices include every change that was acknowledged before the call.
func (c *Client) Quote(ctx context.Context, req QuoteRequest) (Quote, error) {
	return micro.CallIdempotent[QuoteRequest, Quote](ctx, c.micro, Subject(VerbQuote), req)
}

// Quotes returns many quotes, each as Quote does or nil.
func (c *Client) Quotes(ctx context.Context, req QuotesRequest) (QuotesResponse, error) {
	return micro.Call[QuotesRequest, QuotesResponse](ctx, c.micro, Subject(VerbQuotes), req)
}
