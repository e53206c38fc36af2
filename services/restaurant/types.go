package restaurant

import (
	"tiffin/wire"
)

// Restaurant is a restaurant as everybody sees it.
type Restaurant struct {
	ID          string    `json:"id"` // ObjectID, 24 hexadecimal digits
	Name        string    `json:"name"`
	City        string    `json:"city"` // as typed; it routes to the region of the restaurant's orders
	Address     string    `json:"address"`
	Latitude    float64   `json:"latitude"`  // degrees, WGS 84
	Longitude   float64   `json:"longitude"` // degrees, WGS 84
	PhoneNumber string    `json:"phoneNumber"`
	Email       string    `json:"email"`
	OwnerUserID string    `json:"ownerUserId"`
	Cuisine     string    `json:"cuisine"`  // "" when not said
	Rating      float64   `json:"rating"`   // 0 (not rated) to 5
	IsActive    bool      `json:"isActive"` // false: takes no orders
	CreatedAt   wire.Time `json:"createdAt"`
	UpdatedAt   wire.Time `json:"updatedAt"`
	DistanceKm  *float64  `json:"distanceKm,omitzero"` // only in lists asked for by position
}

// MenuItem is one dish of a restaurant's menu.
type MenuItem struct {
	ID           string     `json:"id"` // ObjectID, 24 hexadecimal digits
	RestaurantID string     `json:"restaurantId"`
	Name         string     `json:"name"`
	Description  string     `json:"description"`
	Price        wire.Money `json:"price"`
	Category     string     `json:"category"`    // "" when not said; a menu is sorted by category, then name
	IsAvailable  bool       `json:"isAvailable"` // false: cannot be ordered now
	CreatedAt    wire.Time  `json:"createdAt"`
	UpdatedAt    wire.Time  `json:"updatedAt"`
}

// ListRequest asks for restaurants. Every field narrows the result; the zero value asks for all of them.
// With a position (both of Latitude and Longitude) the nearest come first, otherwise the order is by name.
type ListRequest struct {
	City      string   `json:"city,omitzero"`      // any spelling the shard router understands
	Q         string   `json:"q,omitzero"`         // words to find in name, cuisine or address, without accents and case
	Cuisine   string   `json:"cuisine,omitzero"`   // exact, without accents and case
	Latitude  *float64 `json:"latitude,omitzero"`  // degrees
	Longitude *float64 `json:"longitude,omitzero"` // degrees
	RadiusKm  *float64 `json:"radiusKm,omitzero"`  // only with a position; more than 0, at most MaxRadiusKm
	IsActive  *bool    `json:"isActive,omitzero"`  // nil: both
	Limit     int      `json:"limit,omitzero"`     // 0: DefaultLimit
	Cursor    string   `json:"cursor,omitzero"`    // NextCursor of the page before

	OwnerUserID string `json:"ownerUserId,omitzero"` // whose; for that owner and administrators
}

// ListResponse is a page of restaurants.
type ListResponse struct {
	Restaurants []Restaurant `json:"restaurants"`
	NextCursor  string       `json:"nextCursor,omitzero"` // while there is more
}

// GetRequest asks for one restaurant.
type GetRequest struct {
	ID string `json:"id"`
}

// MenuRequest asks for the menu of one restaurant.
type MenuRequest struct {
	RestaurantID string `json:"restaurantId"`
}

// MenuResponse is a whole menu, by category and name.
type MenuResponse struct {
	Items []MenuItem `json:"items"`
}

// CreateRequest opens a restaurant, owned by the actor. It is the body of POST /restaurants.
type CreateRequest struct {
	Name        string   `json:"name"`
	City        string   `json:"city"`
	Address     string   `json:"address"`
	Latitude    *float64 `json:"latitude"`  // required; a pointer so that 0 and absent differ
	Longitude   *float64 `json:"longitude"` // required
	PhoneNumber string   `json:"phoneNumber"`
	Email       string   `json:"email"`
	Cuisine     string   `json:"cuisine,omitzero"`
}

// Changes is the body of PATCH /restaurants/:id: nil leaves a field as it is.
type Changes struct {
	Name        *string  `json:"name,omitzero"`
	City        *string  `json:"city,omitzero"`
	Address     *string  `json:"address,omitzero"`
	Latitude    *float64 `json:"latitude,omitzero"`
	Longitude   *float64 `json:"longitude,omitzero"`
	PhoneNumber *string  `json:"phoneNumber,omitzero"`
	Email       *string  `json:"email,omitzero"`
	Cuisine     *string  `json:"cuisine,omitzero"`
	IsActive    *bool    `json:"isActive,omitzero"`
}

// UpdateRequest changes a restaurant of the actor's.
type UpdateRequest struct {
	ID string `json:"id"`
	Changes
}

// ItemFields is the body of POST /restaurants/:id/menu.
type ItemFields struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitzero"`
	Price       *wire.Money `json:"price"` // required
	Category    string      `json:"category,omitzero"`
	IsAvailable *bool       `json:"isAvailable,omitzero"` // nil: true
}

// MenuAddRequest adds a dish to a restaurant of the actor's.
type MenuAddRequest struct {
	RestaurantID string `json:"restaurantId"`
	ItemFields
}

// ItemChanges is the body of PATCH /restaurants/:id/menu/:itemId: nil leaves a field as it is.
type ItemChanges struct {
	Name        *string     `json:"name,omitzero"`
	Description *string     `json:"description,omitzero"`
	Price       *wire.Money `json:"price,omitzero"`
	Category    *string     `json:"category,omitzero"`
	IsAvailable *bool       `json:"isAvailable,omitzero"`
}

// MenuUpdateRequest changes a dish of a restaurant of the actor's.
type MenuUpdateRequest struct {
	RestaurantID string `json:"restaurantId"`
	ItemID       string `json:"itemId"`
	ItemChanges
}

// MenuDeleteRequest takes a dish off the menu of a restaurant of the actor's.
type MenuDeleteRequest struct {
	RestaurantID string `json:"restaurantId"`
	ItemID       string `json:"itemId"`
}

// MenuDeleteResponse is empty: the dish is gone.
type MenuDeleteResponse struct{}

// QuoteLine asks for one dish, Quantity times.
type QuoteLine struct {
	MenuItemID string `json:"menuItemId"`
	Quantity   int    `json:"quantity"`
}

// QuoteRequest asks what dishes of one restaurant cost now.
type QuoteRequest struct {
	RestaurantID string      `json:"restaurantId"`
	Items        []QuoteLine `json:"items"`
}

// QuotedItem is a line of a quote, in the order asked.
type QuotedItem struct {
	MenuItemID string     `json:"menuItemId"`
	Name       string     `json:"name"`
	Quantity   int        `json:"quantity"`
	UnitPrice  wire.Money `json:"unitPrice"`
	Available  bool       `json:"available"`
}

// Quote states facts and judges nothing: whether an inactive restaurant or an unavailable dish refuses the order is the
// order service's rule.
type Quote struct {
	Restaurant Restaurant   `json:"restaurant"`
	Items      []QuotedItem `json:"items"`
}

// QuotesRequest asks for many quotes at once.
type QuotesRequest struct {
	Quotes []QuoteRequest `json:"quotes"`
}

// QuotesResponse answers each of them, in their order: nil where a QuoteRequest by itself says why not.
type QuotesResponse struct {
	Quotes []*Quote `json:"quotes"`
}
