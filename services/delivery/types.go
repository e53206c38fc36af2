package delivery

import (
	"tiffin/services/order"
	"tiffin/wire"
)

// Partner is a rider's record.
type Partner struct {
	ID              string    `json:"id"`     // UUID, equal to UserID
	UserID          string    `json:"userId"` // UUID
	City            string    `json:"city"`
	Latitude        float64   `json:"latitude"`       // of the last known position, degrees
	Longitude       float64   `json:"longitude"`      // of the last known position, degrees
	IsAvailable     bool      `json:"isAvailable"`    // the rider's wish to work; stays true while carrying
	CurrentOrderID  *string   `json:"currentOrderId"` // the order accepted and not yet handed over
	TotalDeliveries int       `json:"totalDeliveries"`
	Rating          float64   `json:"rating"` // 0 to 5
	CreatedAt       wire.Time `json:"createdAt"`
	UpdatedAt       wire.Time `json:"updatedAt"`
}

// NewPartner is what a rider's record begins with. Riders begin unavailable.
type NewPartner struct {
	ID        string  // the user's id
	City      string  // as the rider gave it
	Region    string  // the region inside ID
	Latitude  float64 // where to begin, degrees: the city's centre
	Longitude float64
}

// AssignmentStatus is the state of an offer and what became of it.
type AssignmentStatus string

// The states of an assignment. The first three are live: an order has at most one such assignment, and so has a rider.
const (
	Offered  AssignmentStatus = "offered"
	Accepted AssignmentStatus = "accepted"
	PickedUp AssignmentStatus = "picked_up"

	Delivered AssignmentStatus = "delivered"
	Failed    AssignmentStatus = "failed"
	Declined  AssignmentStatus = "declined"
	Expired   AssignmentStatus = "expired"
	Withdrawn AssignmentStatus = "withdrawn" // the order ended under the rider, or the rider became unavailable
)

// Live reports whether the assignment binds order and rider now.
func (s AssignmentStatus) Live() bool { return s == Offered || s.Carrying() }

// Carrying reports whether the rider has accepted and not yet handed over.
func (s AssignmentStatus) Carrying() bool { return s == Accepted || s == PickedUp }

// Assignment is one offer of an order to a rider, from the offer to its end, with what the rider needs to know.
type Assignment struct {
	OrderID        string           `json:"orderId"`
	PartnerID      string           `json:"partnerId"`
	Status         AssignmentStatus `json:"status"`
	OfferedAt      wire.Time        `json:"offeredAt"`
	OfferExpiresAt wire.Time        `json:"offerExpiresAt"`
	AcceptedAt     *wire.Time       `json:"acceptedAt,omitzero"`
	Order          order.Order      `json:"order"`
	Restaurant     order.Place      `json:"restaurant"`
	Dropoff        Dropoff          `json:"dropoff"`
}

// Dropoff is where an order is handed over.
type Dropoff struct {
	Address   string  `json:"address"`
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// AssignmentsRequest asks for the actor's assignments: the current one, or with History the past ones, newest first.
type AssignmentsRequest struct {
	History bool   `json:"history,omitzero"`
	Limit   int    `json:"limit,omitzero"`  // 0: order.DefaultLimit, at most order.MaxLimit
	Cursor  string `json:"cursor,omitzero"` // NextCursor of the page before
}

// AssignmentsResponse is a page of assignments; without History at most one.
type AssignmentsResponse struct {
	Assignments []Assignment `json:"assignments"`
	NextCursor  string       `json:"nextCursor,omitzero"` // while there is more
}

// MeRequest asks for the actor's partner record.
type MeRequest struct{}

// AvailabilityRequest says whether a rider wants to work. ID must be the actor's own.
type AvailabilityRequest struct {
	ID          string `json:"id"`
	IsAvailable *bool  `json:"isAvailable"` // required
}

// OfferRequest accepts or declines an offer. ID is the order's id, or the actor's own partner id for the current offer.
type OfferRequest struct {
	ID string `json:"id"`
}

// CurrentRequest asks for the live assignment of a rider. It is for services and operators.
type CurrentRequest struct {
	PartnerID string `json:"partnerId"`
}

// CurrentResponse is a rider's live assignment, nil when there is none.
type CurrentResponse struct {
	Assignment *Assignment `json:"assignment"`
}

// Position is a rider's newest fix.
type Position struct {
	PartnerID string    `json:"partnerId"`
	Latitude  float64   `json:"latitude"`
	Longitude float64   `json:"longitude"`
	At        wire.Time `json:"at"` // when the fix was taken in
}

// PositionRequest is a batch of newest fixes, at most MaxPositions, one a rider. It is for services.
type PositionRequest struct {
	Positions []Position `json:"positions"`
}

// PositionResponse tells how many of the fixes belonged to riders that exist.
type PositionResponse struct {
	Known int `json:"known"`
}

// EventAccepted is the type of the event that tells that a rider accepted an order. It stays inside the fleet.
const EventAccepted = "delivery.accepted"

// AcceptedEvent tells that the rider of an order accepted it: from now on the customer may see where the rider is.
type AcceptedEvent struct {
	EventType         string    `json:"eventType"` // EventAccepted
	OrderID           string    `json:"orderId"`
	DeliveryPartnerID string    `json:"deliveryPartnerId"`
	CustomerID        string    `json:"customerId"`
	Timestamp         wire.Time `json:"timestamp"`
}
