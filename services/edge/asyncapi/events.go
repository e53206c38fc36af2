package asyncapi

import (
	"reflect"

	"tiffin/services/delivery"
	"tiffin/services/order"
)

// event is one type of event and who gets it.
type event struct {
	typ      string // such as order.created: the middle of the NATS subject, and RabbitMQ's routing key
	name     string // of its channels and messages
	body     reflect.Type
	outside  bool // goes to RabbitMQ
	ordered  bool // has the header Tiffin-Seq, because its body has no seq
	summary  string
	describe string
}

// events are all there are. The service that adds one adds it here; the test on
// a running fleet fails for one that is not listed.
func events() []event {
	return []event{
		{
			typ: order.EventCreated, name: "OrderCreated", body: reflect.TypeFor[order.CreatedEvent](), outside: true, ordered: true,
			summary: "An order was placed.", describe: "The first event of every order.",
		},
		{
			typ: order.EventAssigned, name: "OrderAssigned", body: reflect.TypeFor[order.AssignedEvent](), outside: true, ordered: true,
			summary:  "An order was offered to a rider.",
			describe: "A further one for the same order means that another rider was asked.",
		},
		{
			typ: order.EventStatus, name: "OrderStatus", body: reflect.TypeFor[order.StatusEvent](),
			summary:  "An order changed state.",
			describe: "With `from` equal to `to` it says that an offer ended and nobody else holds the order.",
		},
		{
			typ: delivery.EventAccepted, name: "DeliveryAccepted", body: reflect.TypeFor[delivery.AcceptedEvent](),
			summary: "A rider accepted an order.", describe: "From now on the customer may see where the rider is.",
		},
	}
}
