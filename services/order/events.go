package order

import "tiffin/wire"

// The types of the events an order causes. Their subjects are events.<type>.<region of the order>.
const (
	EventCreated  = "order.created"
	EventAssigned = "order.assigned"
	EventStatus   = "order.status"
)

// HeaderSeq carries the order's seq on events whose body is fixed and has no place for it.
const HeaderSeq = "Tiffin-Seq"

// CreatedEvent tells that an order was placed. Its fields are fixed by what outside consumers rely on.
type CreatedEvent struct {
	EventType             string     `json:"eventType"` // EventCreated
	OrderID               string     `json:"orderId"`
	CustomerID            string     `json:"customerId"`
	RestaurantID          string     `json:"restaurantId"`
	DeliveryCity          string     `json:"deliveryCity"`
	TotalAmount           wire.Money `json:"totalAmount"`
	EstimatedDeliveryTime int        `json:"estimatedDeliveryTime"` // minutes
	Timestamp             wire.Time  `json:"timestamp"`
}

// AssignedEvent tells that an order was offered to a rider; each re-offer is a new one. Its fields are fixed.
type AssignedEvent struct {
	EventType             string    `json:"eventType"` // EventAssigned
	OrderID               string    `json:"orderId"`
	CustomerID            string    `json:"customerId"`
	RestaurantID          string    `json:"restaurantId"`
	DeliveryPartnerID     string    `json:"deliveryPartnerId"`
	DeliveryCity          string    `json:"deliveryCity"`
	EstimatedDeliveryTime int       `json:"estimatedDeliveryTime"` // minutes
	Timestamp             wire.Time `json:"timestamp"`
}

// StatusEvent tells that an order changed state. With From equal to To it tells that an offer ended and nobody else
// holds the order: DeliveryPartnerID has become null, the reason is one of the Reason constants.
type StatusEvent struct {
	EventType         string    `json:"eventType"` // EventStatus
	OrderID           string    `json:"orderId"`
	CustomerID        string    `json:"customerId"`
	RestaurantID      string    `json:"restaurantId"`
	DeliveryPartnerID *string   `json:"deliveryPartnerId"`
	DeliveryCity      string    `json:"deliveryCity"`
	From              Status    `json:"from"`
	To                Status    `json:"to"`
	ActorID           string    `json:"actorId"`
	ActorRole         string    `json:"actorRole"`
	Reason            string    `json:"reason,omitzero"`
	Seq               int64     `json:"seq"`
	Timestamp         wire.Time `json:"timestamp"`
}

// Why an offer ended without another rider to ask.
const (
	ReasonDeclined  = "offer_declined"
	ReasonExpired   = "offer_expired"
	ReasonWithdrawn = "offer_withdrawn"
)
