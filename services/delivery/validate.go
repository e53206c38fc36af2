package delivery

import (
	"fmt"
	"math"

	"tiffin/services/order"
	"tiffin/wire"
)

// MaxPositions bounds one batch of fixes, so that one statement never locks riders for long.
const MaxPositions = 1000

// Validate returns wire.Invalid for a limit out of range. The cursor is checked where it is read.
func (r AssignmentsRequest) Validate() error {
	if r.Limit < 0 || r.Limit > order.MaxLimit {
		return refuse("limit", fmt.Sprintf("must be 1 to %d", order.MaxLimit))
	}
	return nil
}

// Validate returns wire.Invalid when isAvailable is missing: a forgotten field must not end somebody's shift.
func (r AvailabilityRequest) Validate() error {
	if r.IsAvailable == nil {
		return refuse("isAvailable", "is required")
	}
	return nil
}

// Validate returns wire.Invalid for a batch that is too large and for a fix that is nowhere on earth.
func (r PositionRequest) Validate() error {
	if len(r.Positions) > MaxPositions {
		return refuse("positions", fmt.Sprintf("must have at most %d positions", MaxPositions))
	}
	for i, p := range r.Positions {
		if !within(p.Latitude, 90) || !within(p.Longitude, 180) {
			return refuse(fmt.Sprintf("positions[%d]", i), "is out of range")
		}
	}
	return nil
}

// within is false for NaN, which compares as neither smaller nor greater.
func within(degrees, most float64) bool { return math.Abs(degrees) <= most }

func refuse(field, message string) error {
	return wire.Invalid{{Field: field, Message: message}}
}
