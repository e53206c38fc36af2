package tracking

import "tiffin/wire"

// LocationRequest is one fix of a rider's position. Without OrderID it counts for the order the rider carries, if any;
// with one, the rider must be carrying exactly that order.
type LocationRequest struct {
	OrderID           string     `json:"orderId,omitzero"`   // UUID
	DeliveryPartnerID string     `json:"deliveryPartnerId"`  // UUID; must be the actor
	Latitude          *float64   `json:"latitude"`           // degrees, -90 to 90, required
	Longitude         *float64   `json:"longitude"`          // degrees, -180 to 180, required
	Timestamp         *wire.Time `json:"timestamp,omitzero"` // when the device took the fix; default: now
	Accuracy          *float64   `json:"accuracy,omitzero"`  // metres, radius of 68 % confidence
	Heading           *float64   `json:"heading,omitzero"`   // degrees clockwise from north, 0 to 360
	Speed             *float64   `json:"speed,omitzero"`     // metres per second over ground
	City              string     `json:"city,omitzero"`      // where the rider works now; for dispatch
}

// LocationResponse says whether the fix became the rider's position. A fix that was not accepted is no error: devices
// send late and wild ones all day.
type LocationResponse struct {
	RecordedAt wire.Time `json:"recordedAt"`      // when the service took the fix in
	Accepted   bool      `json:"accepted"`        //
	Reason     string    `json:"reason,omitzero"` // one of the Reason constants when not accepted
}

// The reasons for which a fix is not accepted.
const (
	ReasonLate        = "late"                 // older than the current fix, or than MaxAge
	ReasonDuplicate   = "duplicate"            // the current fix again
	ReasonFuture      = "timestamp_in_future"  // farther ahead than MaxSkew
	ReasonInaccurate  = "inaccurate"           // accuracy worse than MaxAccuracy
	ReasonImplausible = "implausible_movement" // nobody rides that fast
)

// Location is a rider's position as clients see it: the data of location-updated and the value at OrderKey.
type Location struct {
	Timestamp         wire.Time `json:"timestamp"`
	OrderID           string    `json:"orderId"`
	DeliveryPartnerID string    `json:"deliveryPartnerId"`
	Latitude          float64   `json:"latitude"`
	Longitude         float64   `json:"longitude"`
	Heading           *float64  `json:"heading,omitzero"`
	Speed             *float64  `json:"speed,omitzero"`
	EtaMinutes        *int      `json:"etaMinutes,omitzero"` // whole minutes until hand-over, at least 1
}

// GetRequest asks where the rider of an order is.
type GetRequest struct {
	OrderID string `json:"orderId"`
}

// View is what somebody who may read the order may know about its whereabouts. Location is null before acceptance,
// after hand-over, and when the last fix is older than the TTL.
type View struct {
	OrderID           string    `json:"orderId"`
	Status            string    `json:"status"`
	Seq               int64     `json:"seq"`
	DeliveryPartnerID *string   `json:"deliveryPartnerId"`
	Location          *Location `json:"location"`
	EtaMinutes        *int      `json:"etaMinutes,omitzero"`
}

// Point is a place in degrees.
type Point struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// The phases of a rider's work on an order, as told by CarryRequest. Clients see the rider in the last two.
const (
	PhaseOffered  = "offered"
	PhaseAccepted = "accepted"
	PhasePickedUp = "picked_up"
)

// CarryRequest is delivery's hint, sent right after its commit, that a rider accepted an order or picked it up, so that
// the rider's next fix counts at once. Without the points the service asks delivery for them.
type CarryRequest struct {
	OrderID           string `json:"orderId"`
	DeliveryPartnerID string `json:"deliveryPartnerId"`
	Phase             string `json:"phase"` // one of the Phase constants
	Restaurant        *Point `json:"restaurant,omitzero"`
	Dropoff           *Point `json:"dropoff,omitzero"`
}

// ReleaseRequest is the hint, sent right after the commit, that a rider carries an order no longer: it was handed over,
// failed or was cancelled. From the answer on, nobody sees the rider.
type ReleaseRequest struct {
	OrderID           string `json:"orderId"`
	DeliveryPartnerID string `json:"deliveryPartnerId"`
}

// Done is the empty answer of the hints.
type Done struct{}
