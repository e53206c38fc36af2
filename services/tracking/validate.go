package tracking

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"

	"tiffin/wire"
)

// Bounds of what a device can plausibly say. Outside them the request is invalid (422), not merely not accepted.
const (
	maxSpeed     = 1000.0 // metres per second
	maxAccuracy  = 1e7    // metres: half the circumference of the earth says "no idea"
	maxCityRunes = 100
)

// Validate returns wire.Invalid naming every field that cannot be accepted.
func (r LocationRequest) Validate() error {
	var v checks
	if r.OrderID != "" {
		v.id("orderId", r.OrderID)
	}
	v.id("deliveryPartnerId", r.DeliveryPartnerID)
	v.required("latitude", r.Latitude, -90, 90)
	v.required("longitude", r.Longitude, -180, 180)
	v.optional("accuracy", r.Accuracy, 0, maxAccuracy)
	v.optional("heading", r.Heading, 0, 360)
	v.optional("speed", r.Speed, 0, maxSpeed)
	if utf8.RuneCountInString(r.City) > maxCityRunes {
		v.refuse("city", "is too long")
	}
	return v.err()
}

// Validate returns wire.Invalid for a batch that is empty or too large. Its fixes are judged one by one.
func (r LocationsRequest) Validate() error {
	var v checks
	if len(r.Fixes) == 0 || len(r.Fixes) > MaxBatch {
		v.refuse("fixes", "must be 1 to "+strconv.Itoa(MaxBatch))
	}
	return v.err()
}

// Validate returns wire.Invalid when the id is no UUID.
func (r GetRequest) Validate() error {
	var v checks
	v.id("orderId", r.OrderID)
	return v.err()
}

// Validate returns wire.Invalid naming every field that cannot be accepted.
func (r CarryRequest) Validate() error {
	var v checks
	v.id("orderId", r.OrderID)
	v.id("deliveryPartnerId", r.DeliveryPartnerID)
	switch r.Phase {
	case PhaseOffered, PhaseAccepted, PhasePickedUp:
	default:
		v.refuse("phase", "must be offered, accepted or picked_up")
	}
	v.point("restaurant", r.Restaurant)
	v.point("dropoff", r.Dropoff)
	return v.err()
}

// Validate returns wire.Invalid naming every field that cannot be accepted.
func (r ReleaseRequest) Validate() error {
	var v checks
	v.id("orderId", r.OrderID)
	v.id("deliveryPartnerId", r.DeliveryPartnerID)
	return v.err()
}

// checks gathers the faults of one request, so that a client learns of all of them at once.
type checks struct{ faults wire.Invalid }

func (c *checks) refuse(field, message string) {
	c.faults = append(c.faults, wire.FieldError{Field: field, Message: message})
}

// id accepts only the 36-character form: it is the one that appears in subjects and keys, and two spellings of one id
// would be two rooms.
func (c *checks) id(field, value string) {
	if !ValidID(value) {
		c.refuse(field, "must be a UUID")
	}
}

func (c *checks) required(field string, value *float64, low, high float64) {
	if value == nil {
		c.refuse(field, "is required")
		return
	}
	c.optional(field, value, low, high)
}

func (c *checks) optional(field string, value *float64, low, high float64) {
	if value != nil && (math.IsNaN(*value) || *value < low || *value > high) {
		c.refuse(field, "is out of range")
	}
}

func (c *checks) point(field string, p *Point) {
	if p == nil {
		return
	}
	c.optional(field+".latitude", &p.Latitude, -90, 90)
	c.optional(field+".longitude", &p.Longitude, -180, 180)
}

func (c *checks) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	return c.faults
}

// ValidID reports whether id is a UUID in the one spelling used everywhere: 36 characters, lower case.
func ValidID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c >= 'A' && c <= 'F' {
			return false
		}
	}
	_, err := uuid.Parse(id)
	return err == nil
}
