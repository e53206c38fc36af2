package delivery

import (
	"fmt"

	"tiffin/services/order"
	"tiffin/wire"
)

// OverviewRequest asks for the figures of the operations page.
type OverviewRequest struct{}

// Overview counts riders by what they are doing. Shards that did not answer are left out and named.
type Overview struct {
	Riders      map[RiderState]int64 `json:"riders"`            // every state is present
	Waiting     int64                `json:"waitingOrders"`     // orders for which nobody is available
	OldestWait  float64              `json:"oldestWaitSeconds"` // of those, 0 without any
	Unavailable []string             `json:"unavailableShards"`
}

// RiderState is what a rider is doing.
type RiderState string

// The states of riders. Only free riders are offered orders.
const (
	RiderOffline  RiderState = "offline"  // does not want to work
	RiderSilent   RiderState = "silent"   // wants to, but has not been heard of
	RiderFree     RiderState = "free"     // wants to, nothing to do
	RiderOffered  RiderState = "offered"  // has an open offer
	RiderCarrying RiderState = "carrying" // has accepted an order
)

// WakeRequest says that something happened in a region that can change who is offered what.
type WakeRequest struct {
	Region string `json:"region"`
}

// WakeResponse is empty: the look is made after the answer.
type WakeResponse struct{}

// OffersRequest asks for every offer of one order. It is for administrators.
type OffersRequest struct {
	OrderID string `json:"orderId"`
}

// OffersResponse is how a rider was sought for an order, from the first offer on. An order that nobody was asked about,
// or that does not exist, has no offers.
type OffersResponse struct {
	Offers []Offer `json:"offers"`
}

// Offer is one rider having been asked: who, from when to when, and what came of it.
type Offer struct {
	Seq            int64            `json:"seq"` // the order's seq with which it was made
	PartnerID      string           `json:"partnerId"`
	Status         AssignmentStatus `json:"status"`
	OfferedAt      wire.Time        `json:"offeredAt"`
	OfferExpiresAt wire.Time        `json:"offerExpiresAt"`
	AcceptedAt     *wire.Time       `json:"acceptedAt,omitzero"`
	EndedAt        *wire.Time       `json:"endedAt,omitzero"` // declined, expired, withdrawn, handed over or failed
}

// RidersRequest asks where the riders at work are: those who want to work or are bound to an order. It is for
// administrators.
type RidersRequest struct {
	Limit  int    `json:"limit,omitzero"`  // 0: order.DefaultLimit, at most order.MaxLimit
	Cursor string `json:"cursor,omitzero"` // NextCursor of the page before
}

// Validate returns wire.Invalid for a limit out of range. The cursor is checked where it is read.
func (r RidersRequest) Validate() error {
	if r.Limit < 0 || r.Limit > order.MaxLimit {
		return refuse("limit", fmt.Sprintf("must be 1 to %d", order.MaxLimit))
	}
	return nil
}

// RidersResponse is a page of the riders at work, by id. Shards that did not answer are left out and named: a map with
// a hole serves an operator better than none.
type RidersResponse struct {
	Riders      []Rider  `json:"riders"`
	NextCursor  string   `json:"nextCursor,omitzero"` // while there is more
	Unavailable []string `json:"unavailableShards"`
}

// Rider is a rider as the operations map shows one.
type Rider struct {
	ID        string     `json:"id"`
	City      string     `json:"city"`
	Latitude  float64    `json:"latitude"`  // of the last known position, degrees
	Longitude float64    `json:"longitude"` // of the last known position, degrees
	State     RiderState `json:"state"`
	OrderID   *string    `json:"orderId"` // what the rider is offered or carries
	SeenAt    wire.Time  `json:"seenAt"`  // the last sign of life
}
