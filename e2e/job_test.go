package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// place is a city with a restaurant and a drop-off nearby.
type place struct {
	city     string
	region   string
	lat, lon float64
}

// One city of each shard, named as people name them.
var places = []place{
	{"San Francisco", "us-west", 37.7749, -122.4194},
	{"New York", "us-east", 40.7128, -74.0060},
	{"ciudad-de-mexico", "mx", 19.4326, -99.1332},
}

// The main job, seen only from outside: an order goes through every component
// and each party sees what it should, when it should.
func TestAnOrderFromKitchenToDoor(t *testing.T) {
	// Not beside the others: an order of theirs that waits in the same region would get this rider.
	broker := node(t, "amqp.mjs", fleet.Env["RABBITMQ_URL"])
	broker.await(t, "bound", nil)
	for _, where := range places {
		t.Run(where.city, func(t *testing.T) {
			t.Parallel()
			playOrder(t, where, broker)
		})
	}
}

func playOrder(t *testing.T, where place, broker *transcript) {
	owner, customer, rider := register(t, "restaurant_owner", where.city), register(t, "customer", where.city), register(t, "delivery_partner", where.city)
	restaurant, items := openRestaurant(owner, where)
	online(rider, where)

	order := customer.must(http.StatusCreated, "POST", "/orders", object{
		"restaurantId": restaurant, "deliveryAddress": "1 Market St", "city": where.city,
		"latitude": where.lat + 0.01, "longitude": where.lon + 0.01,
		"items": []object{{"menuItemId": items[0], "quantity": 3}, {"menuItemId": items[1], "quantity": 1}},
	})
	id := order["id"].(string)
	require.Equal(t, "pending", order["status"])
	require.InDelta(t, 45.99, order["totalAmount"], 1e-9, "the menu's prices, three at 12.50 and one at 8.49")
	requireCreated(t, broker, order, customer, where)

	sofa := node(t, "socketio.mjs", fleet.Edge, customer.Token, id)
	sofa.await(t, "subscribed", nil)
	requireAssigned(t, broker, id, rider)
	awaitOffer(t, rider, id)
	require.Equal(t, "accepted", rider.must(http.StatusOK, "POST", "/delivery/"+id+"/accept", nil)["status"])
	for _, status := range []string{"confirmed", "preparing", "ready"} {
		require.Equal(t, status, move(owner, id, status)["status"])
	}
	require.Equal(t, "picked_up", move(rider, id, "picked_up")["status"], "an acceptance holds for the rider's very next request")
	drive(t, rider, sofa, id, where)
	move(rider, id, "delivered")

	requireWholeStory(t, sofa, customer, id)
	require.Empty(t, rider.must(http.StatusOK, "GET", "/delivery/assignments", nil)["assignments"])
	require.EqualValues(t, 1, rider.must(http.StatusOK, "GET", "/delivery/me", nil)["totalDeliveries"])
	available(rider, false) // who goes home is offered nobody else's order
}

// openRestaurant creates a restaurant with two dishes, 12.50 and 8.49.
func openRestaurant(owner *person, where place) (restaurantID string, itemIDs []string) {
	r := owner.must(http.StatusCreated, "POST", "/restaurants", object{
		"name": "Dabba " + owner.ID(), "city": where.city, "address": "5 Mission St", "latitude": where.lat, "longitude": where.lon,
		"phoneNumber": "+14155550111", "email": "dabba@example.com", "cuisine": "Indian",
	})
	restaurantID = r["id"].(string)
	for name, price := range map[string]float64{"Thali": 12.50, "Lassi": 8.49} {
		item := owner.must(http.StatusCreated, "POST", "/restaurants/"+restaurantID+"/menu", object{
			"name": name, "description": "fresh", "price": price, "category": "Lunch", "isAvailable": true,
		})
		if name == "Thali" {
			itemIDs = append([]string{item["id"].(string)}, itemIDs...)
		} else {
			itemIDs = append(itemIDs, item["id"].(string))
		}
	}
	return restaurantID, itemIDs
}

// online brings a rider to the restaurant's corner and makes them available.
func online(rider *person, where place) {
	rider.must(http.StatusOK, "PATCH", "/delivery/"+rider.User["partnerId"].(string)+"/location", object{"latitude": where.lat, "longitude": where.lon})
	available(rider, true)
}

func available(rider *person, is bool) {
	rider.must(http.StatusOK, "PATCH", "/delivery/"+rider.User["partnerId"].(string)+"/availability", object{"isAvailable": is})
}

func move(who *person, orderID, status string) object {
	who.t.Helper()
	return who.must(http.StatusOK, "PATCH", "/orders/"+orderID+"/status", object{"status": status})
}

func requireCreated(t *testing.T, broker *transcript, order object, customer *person, where place) {
	t.Helper()
	created := broker.await(t, "order.created", func(d object) bool { return d["orderId"] == order["id"] })
	require.ElementsMatch(t, []string{"eventType", "orderId", "customerId", "restaurantId", "deliveryCity", "totalAmount", "estimatedDeliveryTime", "timestamp"}, keys(created.Data))
	require.Equal(t, customer.ID(), created.Data["customerId"])
	require.Equal(t, order["totalAmount"], created.Data["totalAmount"])
	require.Equal(t, "application/json", created.Properties["contentType"])
	require.Equal(t, "order.created", created.Properties["type"])
	require.Equal(t, "tiffin", created.Properties["appId"])
	require.EqualValues(t, 2, created.Properties["deliveryMode"])
	require.Len(t, created.Properties["messageId"], 36)
}

func requireAssigned(t *testing.T, broker *transcript, orderID string, rider *person) {
	t.Helper()
	assigned := broker.await(t, "order.assigned", func(d object) bool { return d["orderId"] == orderID })
	require.ElementsMatch(t, []string{"eventType", "orderId", "customerId", "restaurantId", "deliveryPartnerId", "deliveryCity", "estimatedDeliveryTime", "timestamp"}, keys(assigned.Data))
	require.Equal(t, rider.User["partnerId"], assigned.Data["deliveryPartnerId"])
}

func awaitOffer(t *testing.T, rider *person, orderID string) {
	t.Helper()
	list := rider.must(http.StatusOK, "GET", "/delivery/assignments", nil)["assignments"].([]any)
	require.Len(t, list, 1, "assigned on RabbitMQ means that the rider sees the offer")
	offer := list[0].(object)
	require.Equal(t, orderID, offer["orderId"])
	require.Equal(t, "offered", offer["status"])
	require.Contains(t, offer, "order")
	require.Contains(t, offer["restaurant"], "address")
	require.Contains(t, offer["dropoff"], "latitude")
}

// drive sends positions over REST and waits for each on the customer's socket.
func drive(t *testing.T, rider *person, sofa *transcript, orderID string, where place) {
	t.Helper()
	for step := 1; step <= 3; step++ {
		lat := where.lat + 0.001*float64(step)
		var answer object
		// A fix taken in the same second as the last may be refused as late or
		// implausible, as for a real rider; the next one counts.
		require.Eventually(t, func() bool {
			answer = rider.must(http.StatusOK, "PATCH", "/delivery/"+rider.User["partnerId"].(string)+"/location",
				object{"latitude": lat, "longitude": where.lon, "heading": 10, "speed": 8.5})
			return answer["accepted"] == true
		}, 30*time.Second, 500*time.Millisecond, "last answer %v", answer)
		sofa.await(t, "location-updated", func(d object) bool {
			return d["orderId"] == orderID && d["latitude"] == lat && d["deliveryPartnerId"] == rider.User["partnerId"]
		})
	}
}

func requireWholeStory(t *testing.T, sofa *transcript, customer *person, orderID string) {
	t.Helper()
	sofa.await(t, "order-updated", func(d object) bool { return d["status"] == "delivered" })
	for i, update := range sofa.only("order-updated") {
		require.EqualValues(t, i+1, update["seq"], "none missing, none twice: %s", sofa)
	}
	var story []any
	for _, h := range customer.must(http.StatusOK, "GET", "/orders/"+orderID+"/history", nil)["history"].([]any) {
		story = append(story, h.(object)["to"])
	}
	require.Equal(t, []any{"pending", "confirmed", "preparing", "ready", "picked_up", "delivered"}, story)
}
