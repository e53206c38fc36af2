package asyncapi

// text is a header's schema.
func text(describe string, rules object) object {
	s := object{"type": "string", "description": describe}
	for name, rule := range rules {
		s[name] = rule
	}
	return s
}

// attributes are those of CloudEvents 1.0, each behind the prefix of its
// binding, which differs.
func attributes(prefix string) (properties object, required []string) {
	properties = object{
		prefix + "specversion": text("CloudEvents.", object{"const": "1.0"}),
		prefix + "id":          text("The event's id.", object{"format": "uuid"}),
		prefix + "source":      text("`tiffin/` and the region.", object{"pattern": "^tiffin/[a-z0-9_-]+$"}),
		prefix + "type":        text("The event's type.", object{"pattern": `^[a-z]+\.[a-z]+$`}),
		prefix + "time":        text("When it happened.", object{"format": "date-time"}),
	}
	for _, name := range []string{"specversion", "id", "source", "type", "time"} {
		required = append(required, prefix+name)
	}
	return properties, required
}

// natsHeaders are the headers on NATS.
func natsHeaders(e event) object {
	properties, required := attributes("ce-")
	properties["Nats-Msg-Id"] = text("The event's id, by which JetStream drops repeats.", object{"format": "uuid"})
	properties["ce-subject"] = text("The order's id: events of one order are in order.", object{"format": "uuid"})
	properties["ce-datacontenttype"] = text("CloudEvents.", object{"const": mediaJSON})
	required = append(required, "Nats-Msg-Id", "ce-subject", "ce-datacontenttype")
	if e.ordered {
		properties["Tiffin-Seq"] = text("The order's sequence number, which the body has no place for.", object{"pattern": "^[1-9][0-9]*$"})
	}
	return object{"type": "object", "properties": travelling(properties), "required": required}
}

// rabbitHeaders are the application headers on RabbitMQ. The properties beside
// them (message_id, type, timestamp, app_id) have no place in the format.
func rabbitHeaders() object {
	properties, required := attributes("cloudEvents:")
	return object{"type": "object", "properties": travelling(properties), "required": required}
}

// travelling adds what comes along from the request that caused the event.
func travelling(properties object) object {
	properties["X-Request-Id"] = text("Of the request that caused it.", nil)
	properties["traceparent"] = text("W3C trace context.", nil)
	properties["tracestate"] = text("W3C trace context.", nil)
	return properties
}
