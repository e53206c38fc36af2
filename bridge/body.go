package bridge

import (
	"errors"
	"fmt"

	"tiffin/micro"
	"tiffin/wire"
)

// The types of events that go to RabbitMQ. They are the routing keys, too.
const (
	typeCreated  = "order.created"
	typeAssigned = "order.assigned"
)

// filters are the subjects the bridge reads.
func filters() []string {
	return []string{"events." + typeCreated + ".>", "events." + typeAssigned + ".>"}
}

// created is the body of order.created, exactly: consumers outside rely on these fields and on no other.
type created struct {
	EventType             string      `json:"eventType"`
	OrderID               string      `json:"orderId"`
	CustomerID            string      `json:"customerId"`
	RestaurantID          string      `json:"restaurantId"`
	DeliveryCity          string      `json:"deliveryCity"`
	TotalAmount           *wire.Money `json:"totalAmount"`
	EstimatedDeliveryTime *int        `json:"estimatedDeliveryTime"`
	Timestamp             *wire.Time  `json:"timestamp"`
}

// assigned is the body of order.assigned, exactly.
type assigned struct {
	EventType             string     `json:"eventType"`
	OrderID               string     `json:"orderId"`
	CustomerID            string     `json:"customerId"`
	RestaurantID          string     `json:"restaurantId"`
	DeliveryPartnerID     string     `json:"deliveryPartnerId"`
	DeliveryCity          string     `json:"deliveryCity"`
	EstimatedDeliveryTime *int       `json:"estimatedDeliveryTime"`
	Timestamp             *wire.Time `json:"timestamp"`
}

// errBody says that an event may not go out: its body is not what the contract promises to consumers.
var errBody = errors.New("body breaks the contract")

// check reports why an event may not go out as it is, nil for a good one. Such an event is poison: sending it would
// break consumers, holding it would stop all others.
func check(e micro.Event) error {
	switch e.Type {
	case typeCreated:
		var b created
		if err := wire.Decode(e.Payload, &b); err != nil {
			return fmt.Errorf("%w: %w", errBody, err)
		}
		whole := present(b.OrderID, b.CustomerID, b.RestaurantID, b.DeliveryCity) && b.TotalAmount != nil &&
			b.EstimatedDeliveryTime != nil && b.Timestamp != nil
		return same(e, b.EventType, b.OrderID, whole)
	case typeAssigned:
		var b assigned
		if err := wire.Decode(e.Payload, &b); err != nil {
			return fmt.Errorf("%w: %w", errBody, err)
		}
		whole := present(b.OrderID, b.CustomerID, b.RestaurantID, b.DeliveryPartnerID, b.DeliveryCity) &&
			b.EstimatedDeliveryTime != nil && b.Timestamp != nil
		return same(e, b.EventType, b.OrderID, whole)
	default:
		return fmt.Errorf("%w: type %q does not go to RabbitMQ", errBody, e.Type)
	}
}

// same checks what both bodies have in common.
func same(e micro.Event, typ, order string, whole bool) error {
	switch {
	case !whole:
		return fmt.Errorf("%w: a field is missing", errBody)
	case typ != e.Type:
		return fmt.Errorf("%w: eventType is %q on the subject of %q", errBody, typ, e.Type)
	case e.Key != "" && e.Key != order:
		return fmt.Errorf("%w: it is of another order than its envelope", errBody)
	default:
		return nil
	}
}

func present(fields ...string) bool {
	for _, f := range fields {
		if f == "" {
			return false
		}
	}
	return true
}
