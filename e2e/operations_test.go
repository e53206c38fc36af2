package e2e_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What an administrator sees of an order that a rider declined and another took: each offer with who and when, the riders
// where they are, the order on its shard.
func TestOperationsSeeTheWholeOrder(t *testing.T) {
	t.Parallel()
	where := place{"Merida", "mx", 20.9674, -89.5926}
	owner, customer, boss := register(t, "restaurant_owner", where.city), register(t, "customer", where.city), administrator(t, where.city)
	restaurant, items := openRestaurant(owner, where)
	first := register(t, "delivery_partner", where.city)
	online(first, where)
	order := customer.must(http.StatusCreated, "POST", "/orders", object{
		"restaurantId": restaurant, "deliveryAddress": "Calle 60", "city": where.city, "latitude": where.lat + 0.01,
		"longitude": where.lon, "items": []object{{"menuItemId": items[0], "quantity": 1}},
	})["id"].(string)
	awaitHeld(t, first, order)
	first.must(http.StatusOK, "POST", "/delivery/"+order+"/decline", nil)
	second := register(t, "delivery_partner", where.city)
	online(second, where)
	awaitHeld(t, second, order)
	second.must(http.StatusOK, "POST", "/delivery/"+order+"/accept", nil)

	offers := boss.must(http.StatusOK, "GET", "/admin/orders/"+order+"/offers", nil)["offers"].([]any)
	require.Len(t, offers, 2)
	declined, accepted := offers[0].(object), offers[1].(object)
	require.Equal(t, []any{first.ID(), "declined"}, []any{declined["partnerId"], declined["status"]})
	require.Equal(t, []any{second.ID(), "accepted"}, []any{accepted["partnerId"], accepted["status"]})
	require.Contains(t, declined, "endedAt")
	require.Contains(t, accepted, "acceptedAt")

	rider := riderAtWork(t, boss, second.ID())
	require.Equal(t, []any{"carrying", order}, []any{rider["state"], rider["orderId"]})
	require.InDelta(t, where.lat, rider["latitude"], 0.01)
	require.Equal(t, "free", riderAtWork(t, boss, first.ID())["state"])

	require.Eventually(t, func() bool { // figures may be some seconds old
		overview := boss.must(http.StatusOK, "GET", "/admin/overview", nil)
		shards := overview["orders"].(object)["shards"].(object)
		require.Len(t, shards, 3)
		return shards["c"].(object)["orders"].(object)["pending"].(float64) > 0 && overview["sockets"].(object)["edges"] == 1.0
	}, 15*time.Second, 200*time.Millisecond)
	move(customer, order, "cancelled")
	last := boss.must(http.StatusOK, "GET", "/admin/orders/"+order+"/offers", nil)["offers"].([]any)[1].(object)
	require.Equal(t, "withdrawn", last["status"])
}

// awaitHeld waits until the order is offered to the rider.
func awaitHeld(t *testing.T, rider *person, order string) {
	t.Helper()
	require.Eventually(t, func() bool {
		list := rider.must(http.StatusOK, "GET", "/delivery/assignments", nil)["assignments"].([]any)
		return len(list) == 1 && list[0].(object)["orderId"] == order
	}, 20*time.Second, 100*time.Millisecond)
}

// riderAtWork pages through the riders at work until it meets one.
func riderAtWork(t *testing.T, boss *person, id string) object {
	t.Helper()
	for cursor := ""; ; {
		page := boss.must(http.StatusOK, "GET", "/admin/riders?limit=2"+cursor, nil)
		riders := page["riders"].([]any)
		if i := slices.IndexFunc(riders, func(r any) bool { return r.(object)["id"] == id }); i >= 0 {
			return riders[i].(object)
		}
		next, more := page["nextCursor"].(string)
		require.True(t, more, "%s is not at work", id)
		cursor = "&cursor=" + next
	}
}

// An owner finds what is theirs by one question, whatever the city.
func TestAnOwnersRestaurants(t *testing.T) {
	t.Parallel()
	owner := register(t, "restaurant_owner", "Tucson")
	for _, where := range []place{{"Tucson", "us-west", 32.2226, -110.9747}, {"Merida", "mx", 20.9674, -89.5926}} {
		openRestaurant(owner, where)
	}
	list := owner.must(http.StatusOK, "GET", "/restaurants?ownerUserId="+owner.ID(), nil)["restaurants"].([]any)
	var cities []any
	for _, r := range list {
		cities = append(cities, r.(object)["city"])
	}
	require.ElementsMatch(t, []any{"Tucson", "Merida"}, cities)
}
