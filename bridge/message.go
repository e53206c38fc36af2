package bridge

import (
	amqp "github.com/rabbitmq/amqp091-go"

	"tiffin/micro"
	"tiffin/wire"
)

// appID marks messages as ours.
const appID = "tiffin"

// forwarded are the headers of an event that go along to consumers.
var forwarded = [...]string{micro.HeaderRequestID, "traceparent", "tracestate"}

// message makes what RabbitMQ gets: the event's payload as it is, the properties of the contract, and the attributes of
// CloudEvents 1.0 in binary mode.
func message(e *micro.Event) amqp.Publishing {
	headers := make(amqp.Table, 5+len(forwarded))
	headers["cloudEvents:specversion"] = "1.0"
	headers["cloudEvents:id"] = e.ID
	headers["cloudEvents:source"] = "tiffin/" + e.Region
	headers["cloudEvents:type"] = e.Type
	headers["cloudEvents:time"] = wire.At(e.Time).String()
	for _, name := range forwarded {
		if value := e.Headers[name]; value != "" {
			headers[name] = value
		}
	}
	return amqp.Publishing{
		Headers: headers, ContentType: "application/json", DeliveryMode: amqp.Persistent,
		MessageId: e.ID, Type: e.Type, Timestamp: e.Time, AppId: appID, Body: e.Payload,
	}
}
