package asyncapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/edge/asyncapi"
)

// decoded is the document as clients get it.
func decoded(t *testing.T) map[string]any {
	t.Helper()
	text, err := asyncapi.JSON("1.2.3")
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(text, &doc))
	return doc
}

// at follows a path of names.
func at(t *testing.T, doc map[string]any, path string) map[string]any {
	t.Helper()
	for name := range strings.SplitSeq(path, "/") {
		inner, ok := doc[name].(map[string]any)
		require.True(t, ok, "%s of %s", name, path)
		doc = inner
	}
	return doc
}

func TestEveryEventIsOnNATSAndTheContractsTwoOnRabbitMQ(t *testing.T) {
	t.Parallel()
	doc := decoded(t)
	require.Equal(t, "3.0.0", doc["asyncapi"])
	require.Equal(t, "1.2.3", at(t, doc, "info")["version"])
	addresses := map[string]bool{}
	for _, channel := range at(t, doc, "channels") {
		addresses[channel.(map[string]any)["address"].(string)] = true
	}
	require.Equal(t, map[string]bool{
		"events.order.created.{region}": true, "events.order.assigned.{region}": true, "events.order.status.{region}": true,
		"events.delivery.accepted.{region}": true, "order.created": true, "order.assigned": true,
	}, addresses)
	require.Equal(t, "orders", at(t, doc, "channels/rabbitmqOrderCreated/bindings/amqp/exchange")["name"])
}

// TestBodiesAreExactly: the fields that consumers outside rely on, and no other.
func TestBodiesAreExactly(t *testing.T) {
	t.Parallel()
	doc := decoded(t)
	for name, fields := range map[string]string{
		"OrderCreatedEvent":  "eventType orderId customerId restaurantId deliveryCity totalAmount estimatedDeliveryTime timestamp",
		"OrderAssignedEvent": "eventType orderId customerId restaurantId deliveryPartnerId deliveryCity estimatedDeliveryTime timestamp",
	} {
		schema := at(t, doc, "components/schemas/"+name)
		require.Equal(t, false, schema["additionalProperties"], name)
		var have []string
		for field := range at(t, schema, "properties") {
			have = append(have, field)
		}
		require.ElementsMatch(t, strings.Fields(fields), have)
		require.Len(t, schema["required"], len(have), "all of them")
	}
	require.Equal(t, "order.created", at(t, doc, "components/schemas/OrderCreatedEvent/properties/eventType")["const"])
}
