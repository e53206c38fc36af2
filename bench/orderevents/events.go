// Package orderevents makes the events that the bridge's benchmarks move: what
// a relay puts on the stream, of the size that real orders have.
package orderevents

import (
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tiffin/micro"
	"tiffin/wire"
)

// Make gives n events, order.created and order.assigned of n/2 orders, mixed so
// that an order's second event comes a few places after its first. A payload has
// about 400 bytes. The same n gives the same events.
func Make(n int) []micro.Event {
	const apart = 5 // orders between an order's two events
	events := make([]micro.Event, 0, n)
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for i := 0; len(events) < n; i++ {
		events = append(events, created(i, start))
		if i >= apart && len(events) < n {
			events = append(events, assigned(i-apart, start))
		}
	}
	return events
}

func order(i int) string { return fmt.Sprintf("0193a6d2-7a11-8695-9b1f-%012x", i) }

func created(i int, at time.Time) micro.Event {
	return event(fmt.Sprintf("0193a6d2-7a11-7000-8000-%012x", i), "order.created", order(i), at,
		fmt.Sprintf(`{"eventType":"order.created","orderId":%q,"customerId":"0193a6d2-7a11-8695-9b1f-6f1f0c1c2d3f",`+
			`"restaurantId":"6741f0c2a5b3c4d5e6f70812","deliveryCity":"%-150s","totalAmount":45.99,`+
			`"estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:39.000Z"}`, order(i), "San Francisco"))
}

func assigned(i int, at time.Time) micro.Event {
	return event(fmt.Sprintf("0193a6d2-7a11-7000-9000-%012x", i), "order.assigned", order(i), at,
		fmt.Sprintf(`{"eventType":"order.assigned","orderId":%q,"customerId":"0193a6d2-7a11-8695-9b1f-6f1f0c1c2d3f",`+
			`"restaurantId":"6741f0c2a5b3c4d5e6f70812","deliveryPartnerId":"0193a6d2-7a11-8695-9b1f-6f1f0c1c2d40",`+
			`"deliveryCity":"%-110s","estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:40.000Z"}`, order(i), "San Francisco"))
}

func event(id, typ, key string, at time.Time, payload string) micro.Event {
	return micro.Event{
		ID: id, Type: typ, Region: "us-west", Key: key, Time: at, Payload: []byte(payload),
		Headers: map[string]string{
			"X-Request-Id": key,
			"traceparent":  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		},
	}
}

// Message is what the bridge makes of an event for RabbitMQ, so that peers send as
// many bytes.
func Message(e micro.Event) amqp.Publishing {
	headers := amqp.Table{
		"cloudEvents:specversion": "1.0", "cloudEvents:id": e.ID, "cloudEvents:source": "tiffin/" + e.Region,
		"cloudEvents:type": e.Type, "cloudEvents:time": wire.At(e.Time).String(),
	}
	for name, value := range e.Headers {
		headers[name] = value
	}
	return amqp.Publishing{
		Headers: headers, ContentType: "application/json", DeliveryMode: amqp.Persistent,
		MessageId: e.ID, Type: e.Type, Timestamp: e.Time, AppId: "tiffin", Body: e.Payload,
	}
}
