package order

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"tiffin/wire"
)

// Limits of requests. An order is a meal: what is larger is a mistake or an attack, and a total within MaxTotal can be
// added up a million million times before it overflows.
const (
	MaxLines        = 50                 // different dishes of one order
	MaxQuantity     = 99                 // of one dish
	MaxTotal        = wire.Money(999999) // 9 999.99
	MaxAddressRunes = 300
	MaxCityRunes    = 100
	MaxReasonRunes  = 300
	MaxKeyLength    = 255

	DefaultLimit = 20
	MaxLimit     = 100
	StuckShown   = 20

	KeyTTL  = 24 * time.Hour  // how long an Idempotency-Key is honoured
	KeyWait = 5 * time.Second // how long a duplicate in flight waits for the first request
)

// TypeKeyMismatch is the problem type of an Idempotency-Key that was used with another body.
const TypeKeyMismatch = "idempotency-key-mismatch"

// Validate returns wire.Invalid naming every field that cannot be accepted.
func (r CreateRequest) Validate() error {
	var v checks
	v.text("restaurantId", r.RestaurantID, 64)
	v.text("deliveryAddress", r.DeliveryAddress, MaxAddressRunes)
	v.text("city", r.City, MaxCityRunes)
	v.degrees("latitude", r.Latitude, 90)
	v.degrees("longitude", r.Longitude, 180)
	switch {
	case len(r.Items) == 0:
		v.refuse("items", "must have at least one item")
	case len(r.Items) > MaxLines:
		v.refuse("items", fmt.Sprintf("must have at most %d items", MaxLines))
	default:
		v.lines(r.Items)
	}
	return v.err()
}

// lines checks each line by itself: the same dish may stand in two lines, as it does on a paper bill.
func (v *checks) lines(lines []Line) {
	for i, line := range lines {
		field := fmt.Sprintf("items[%d].", i)
		v.text(field+"menuItemId", line.MenuItemID, 64)
		if line.Quantity < 1 || line.Quantity > MaxQuantity {
			v.refuse(field+"quantity", fmt.Sprintf("must be 1 to %d", MaxQuantity))
		}
	}
}

// Validate returns wire.Invalid for a limit out of range, an unknown status, a customer's id that is none, or a text that
// is too long. The cursor is checked where it is read.
func (r ListRequest) Validate() error {
	var v checks
	if r.Limit < 0 || r.Limit > MaxLimit {
		v.refuse("limit", fmt.Sprintf("must be 1 to %d", MaxLimit))
	}
	if r.Status != "" && !r.Status.Known() {
		v.refuse("status", "unknown status")
	}
	if r.City != "" {
		v.text("city", r.City, MaxCityRunes)
	}
	if r.RestaurantID != "" {
		v.text("restaurantId", r.RestaurantID, 64)
	}
	if r.CustomerID != "" && (len(r.CustomerID) != 36 || uuid.Validate(r.CustomerID) != nil) {
		v.refuse("customerId", "must be a UUID")
	}
	return v.err()
}

// Validate returns wire.Invalid for a state that nobody can ask for and for a reason that is too long.
func (r StatusRequest) Validate() error {
	var v checks
	switch {
	case !r.Status.Known():
		v.refuse("status", "unknown status")
	case !Settable(r.Status):
		v.refuse("status", "cannot be set")
	}
	if r.Reason != "" {
		v.text("reason", r.Reason, MaxReasonRunes)
	}
	return v.err()
}

// Validate returns wire.Invalid for a negative since.
func (r UpdatesRequest) Validate() error {
	var v checks
	if r.Since != nil && *r.Since < 0 {
		v.refuse("since", "must not be negative")
	}
	return v.err()
}

// checks gathers the faults of one request, so that a client learns of all of them at once.
type checks struct{ faults wire.Invalid }

func (v *checks) refuse(field, message string) {
	v.faults = append(v.faults, wire.FieldError{Field: field, Message: message})
}

// text wants something that people can read and that a database can store: PostgreSQL has no room for a NUL.
func (v *checks) text(field, value string, most int) {
	switch {
	case strings.TrimSpace(value) == "":
		v.refuse(field, "is required")
	case utf8.RuneCountInString(value) > most:
		v.refuse(field, "is too long")
	case strings.ContainsFunc(value, unprintable):
		v.refuse(field, "must not contain control characters")
	}
}

// unprintable finds what has no place in a text people read. Line breaks may be part of an address.
func unprintable(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }

// degrees wants a coordinate. A missing one is not zero: that would be a place off the coast of Africa.
func (v *checks) degrees(field string, value *float64, most float64) {
	switch {
	case value == nil:
		v.refuse(field, "is required")
	case math.IsNaN(*value) || math.Abs(*value) > most:
		v.refuse(field, "is out of range")
	}
}

func (v *checks) err() error {
	if len(v.faults) == 0 {
		return nil
	}
	return v.faults
}
