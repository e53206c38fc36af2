package asyncapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"tiffin/services/edge/openapi"
)

// object is a JSON object. The format's objects are many and small, and each is
// written once, so they have no types of their own.
type object = map[string]any

const (
	mediaJSON = "application/json"
	// about stands at the head of the document.
	about = "Every event is at least once, and in order for each order. `Nats-Msg-Id` on NATS and `message_id` on RabbitMQ are the " +
		"event's id: a further copy has the same id and the same body. The attributes of CloudEvents 1.0 are there in binary mode."
)

// JSON gives the description of all events. The error is a bug in the
// declarations.
func JSON(version string) ([]byte, error) {
	text, err := json.MarshalIndent(document(version), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("asyncapi: %w", err)
	}
	return []byte(strings.ReplaceAll(string(text), `"#/$defs/`, `"#/components/schemas/`)), nil
}

func document(version string) object {
	channels, operations, messages := object{}, object{}, object{}
	for _, e := range events() {
		e.onNATS(channels, operations, messages)
		if e.outside {
			e.onRabbitMQ(channels, operations, messages)
		}
	}
	return object{
		"asyncapi":           "3.0.0",
		"info":               object{"title": "Tiffin events", "version": version, "description": about},
		"defaultContentType": mediaJSON,
		"servers": object{
			"nats": object{"host": "localhost:4222", "protocol": "nats",
				"description": "JetStream, stream `EVENTS`. For the fleet's own roles and for operators."},
			"rabbitmq": object{"host": "localhost:5672", "pathname": "/tiffin", "protocol": "amqp", "protocolVersion": "0.9.1",
				"description": "For everybody else. Bind a queue of your own to the exchange `orders`."},
		},
		"channels": channels, "operations": operations,
		"components": object{"messages": messages, "schemas": schemas()},
	}
}

// schemas describes the bodies. They hold exactly what is listed: consumers may
// refuse anything else.
func schemas() map[string]*jsonschema.Schema {
	var types []reflect.Type
	for _, e := range events() {
		types = append(types, e.body)
	}
	all := openapi.Schemas(types...)
	for _, e := range events() {
		s := all[openapi.NameOf(e.body)]
		s.AdditionalProperties = jsonschema.FalseSchema
		if property, ok := s.Properties.Get("eventType"); ok {
			property.Const = e.typ
			property.Examples = nil
		}
	}
	return all
}

// onNATS adds the subject of the event, which ends with the order's region.
func (e event) onNATS(channels, operations, messages object) {
	id := "nats" + e.name
	channels[id] = object{
		"address": "events." + e.typ + ".{region}", "title": e.typ + " on NATS", "servers": refs("servers", "nats"),
		"messages": object{e.name: ref("components/messages", id)},
		"parameters": object{"region": object{
			"description": "Home region of the order.", "examples": []string{"us-west", "us-east", "ca", "mx"}}},
	}
	messages[id] = e.message(id, natsHeaders(e), nil)
	operations["publish"+e.name] = e.send(id, nil)
}

// onRabbitMQ adds the routing key of the event.
func (e event) onRabbitMQ(channels, operations, messages object) {
	id := "rabbitmq" + e.name
	channels[id] = object{
		"address": e.typ, "title": e.typ + " on RabbitMQ", "servers": refs("servers", "rabbitmq"),
		"messages": object{e.name: ref("components/messages", id)},
		"bindings": object{"amqp": object{"is": "routingKey", "bindingVersion": "0.3.0", "exchange": object{
			"name": "orders", "type": "topic", "durable": true, "autoDelete": false}}},
	}
	messages[id] = e.message(id, rabbitHeaders(), object{"amqp": object{"messageType": e.typ, "bindingVersion": "0.3.0"}})
	operations["relay"+e.name] = e.send(id, object{"amqp": object{
		"deliveryMode": 2, "mandatory": true, "timestamp": true, "bindingVersion": "0.3.0"}})
}

// message is the event on one of the two.
func (e event) message(id string, headers, bindings object) object {
	m := object{
		"name": id, "title": e.typ, "summary": e.summary, "description": e.describe, "contentType": mediaJSON,
		"headers": headers, "payload": ref("components/schemas", openapi.NameOf(e.body)),
	}
	if bindings != nil {
		m["bindings"] = bindings
	}
	return m
}

// send is Tiffin's side: it sends, whoever reads the document receives.
func (e event) send(channel string, bindings object) object {
	op := object{"action": "send", "title": e.typ, "summary": e.summary,
		"channel": ref("channels", channel), "messages": []object{ref("channels/"+channel+"/messages", e.name)}}
	if bindings != nil {
		op["bindings"] = bindings
	}
	return op
}

// ref refers to something in the document.
func ref(where, name string) object { return object{"$ref": "#/" + where + "/" + name} }

func refs(where, name string) []object { return []object{ref(where, name)} }
