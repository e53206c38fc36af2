package order

import (
	"math"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/wire"
)

// Total adds up the lines of an order exactly. It returns wire.Invalid when the sum exceeds MaxTotal.
func Total(items []Item) (wire.Money, error) {
	var total wire.Money
	for _, item := range items {
		line, err := item.UnitPrice.Mul(item.Quantity)
		if err == nil {
			total, err = total.Add(line)
		}
		if err != nil || total > MaxTotal {
			return 0, wire.Invalid{{Field: "items", Message: "the total must not exceed " + MaxTotal.String()}}
		}
	}
	return total, nil
}

// The estimate of a delivery: the kitchen's time and the rider's way to it, then the streets at about 24 km/h.
const (
	kitchenMinutes = 20
	minutesPerKm   = 2.5
)

// Estimate is how many minutes an order will take from its creation to its hand-over, distanceKm from the restaurant.
func Estimate(distanceKm float64) int {
	return kitchenMinutes + int(math.Ceil(distanceKm*minutesPerKm))
}

// Parties are the people of an order.
type Parties struct {
	CustomerID, OwnerID string
	PartnerID           *string // whom the order is offered to or who carries it
}

// MayRead reports whether an actor may see the order of these people: they themselves, administrators, operators and
// the services that work for them. Everybody else must not even learn that the order exists.
func (p Parties) MayRead(a micro.Actor) bool {
	switch a.Role {
	case auth.RoleAdmin, micro.RoleOperator, micro.RoleService:
		return true
	case auth.RoleCustomer:
		return a.ID == p.CustomerID
	case auth.RoleOwner:
		return a.ID == p.OwnerID
	case auth.RoleRider:
		return p.PartnerID != nil && a.ID == *p.PartnerID
	default:
		return false
	}
}
