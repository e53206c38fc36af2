package order

import "tiffin/wire"

// Order is an order as those see it who may.
type Order struct {
	ID                    string     `json:"id"` // UUID carrying the restaurant's region
	CustomerID            string     `json:"customerId"`
	RestaurantID          string     `json:"restaurantId"`
	DeliveryPartnerID     *string    `json:"deliveryPartnerId"` // set with the offer, follows re-offers, null without one
	Status                Status     `json:"status"`
	Items                 []Item     `json:"items"`
	TotalAmount           wire.Money `json:"totalAmount"` // of the menu's prices at creation
	DeliveryAddress       string     `json:"deliveryAddress"`
	City                  string     `json:"city"`                  // the canonical name where the city is known
	Latitude              float64    `json:"latitude"`              // of the drop-off, degrees
	Longitude             float64    `json:"longitude"`             // of the drop-off, degrees
	EstimatedDeliveryTime int        `json:"estimatedDeliveryTime"` // minutes from creation to hand-over
	CreatedAt             wire.Time  `json:"createdAt"`
	UpdatedAt             wire.Time  `json:"updatedAt"`
}

// Item is one line of an order, with the price the menu had when it was ordered.
type Item struct {
	MenuItemID string     `json:"menuItemId"`
	Name       string     `json:"name"`
	Quantity   int        `json:"quantity"`
	UnitPrice  wire.Money `json:"unitPrice"`
}

// Place is the restaurant of an order, as it was when the order was placed.
type Place struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// Line asks for one dish, Quantity times.
type Line struct {
	MenuItemID string `json:"menuItemId"`
	Quantity   int    `json:"quantity"` // 1 to MaxQuantity
}

// CreateRequest places an order for the actor, a customer. It is the body of POST /orders. The header Idempotency-Key
// of the request (micro.WithHeader), up to MaxKeyLength characters, makes a repetition return the first order.
type CreateRequest struct {
	RestaurantID    string   `json:"restaurantId"`
	Items           []Line   `json:"items"`
	DeliveryAddress string   `json:"deliveryAddress"`
	City            string   `json:"city"`      // must route to the restaurant's region
	Latitude        *float64 `json:"latitude"`  // of the drop-off, required; a pointer so that 0 and absent differ
	Longitude       *float64 `json:"longitude"` // of the drop-off, required
}

// Created is the answer to a CreateRequest: the order's own fields, and whether an earlier request placed it.
type Created struct {
	Order
	Replayed bool `json:"replayed,omitzero"`
}

// GetRequest asks for one order.
type GetRequest struct {
	ID   string `json:"id"`
	City string `json:"city,omitzero"` // accepted and never needed
}

// ListRequest asks for orders, newest first. Every field narrows the result; whose orders are listed follows from the
// actor: a customer's own, those of an owner's restaurants, those a rider delivers, an administrator's all.
type ListRequest struct {
	CustomerID   string `json:"customerId,omitzero"`
	RestaurantID string `json:"restaurantId,omitzero"`
	City         string `json:"city,omitzero"` // any spelling the shard router understands
	Status       Status `json:"status,omitzero"`
	Limit        int    `json:"limit,omitzero"`  // 0: DefaultLimit, at most MaxLimit
	Cursor       string `json:"cursor,omitzero"` // NextCursor of the page before
}

// ListResponse is a page of orders.
type ListResponse struct {
	Orders     []Order `json:"orders"`
	NextCursor string  `json:"nextCursor,omitzero"` // while there is more
}

// StatusRequest asks to move an order to another state. It is the body of PATCH /orders/:id/status with the id.
type StatusRequest struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	Reason string `json:"reason,omitzero"` // shown in the history, up to MaxReasonRunes
	City   string `json:"city,omitzero"`   // accepted and never needed
}

// HistoryRequest asks for every transition of one order.
type HistoryRequest struct {
	ID string `json:"id"`
}

// HistoryResponse is every transition of an order, oldest first, beginning with null → pending.
type HistoryResponse struct {
	History []HistoryEntry `json:"history"`
}

// HistoryEntry is one transition of an order: who, when, from, to.
type HistoryEntry struct {
	From      *Status   `json:"from"` // null at the creation
	To        Status    `json:"to"`
	ActorID   string    `json:"actorId"`   // a user's id, or the service's name for RoleSystem
	ActorRole string    `json:"actorRole"` // a role of auth, "operator" or RoleSystem
	Reason    string    `json:"reason,omitzero"`
	At        wire.Time `json:"at"`
}

// UpdatesRequest asks where an order stands and for each of its changes after Since.
type UpdatesRequest struct {
	ID    string `json:"id"`
	Since *int64 `json:"since,omitzero"` // nil: only where it stands
}

// Updates is a consistent picture of one order: where it stands at Seq, and every change after the seq asked for, in
// order and without gaps.
type Updates struct {
	Order      Order    `json:"order"`
	Seq        int64    `json:"seq"`
	Restaurant Place    `json:"restaurant"`
	Updates    []Update `json:"updates"`
}

// Update is the data of the realtime event order-updated.
type Update struct {
	OrderID               string    `json:"orderId"`
	Seq                   int64     `json:"seq"`
	Status                Status    `json:"status"`
	DeliveryPartnerID     *string   `json:"deliveryPartnerId"`
	EstimatedDeliveryTime int       `json:"estimatedDeliveryTime"` // minutes
	Timestamp             wire.Time `json:"timestamp"`
}

// OverviewRequest asks for the figures of the operations page.
type OverviewRequest struct{}

// Overview counts orders for the operations page. Shards that did not answer are left out and named.
type Overview struct {
	Orders      map[Status]int64 `json:"orders"`            // every state is present
	Stuck       []Stuck          `json:"stuck"`             // longest first, at most StuckShown
	StuckTotal  int64            `json:"stuckTotal"`        //
	Unavailable []string         `json:"unavailableShards"` // ids of shards that are missing from the figures

	Shards map[string]ShardFigures `json:"shards"` // the same by shard id, without those that did not answer
}

// ShardFigures are the counts of one shard.
type ShardFigures struct {
	Orders     map[Status]int64 `json:"orders"` // every state is present
	StuckTotal int64            `json:"stuckTotal"`
}

// Stuck is an order that has not moved for longer than its state should last.
type Stuck struct {
	OrderID   string    `json:"orderId"`
	Status    Status    `json:"status"`
	City      string    `json:"city"`
	UpdatedAt wire.Time `json:"updatedAt"`
}
