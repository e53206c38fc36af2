package edge_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/restaurant"
	"tiffin/services/tracking"
	"tiffin/wire"
)

// Every error a service may return arrives as the problem of its code, with
// what belongs to it and nothing else.
func TestErrorsOfServicesBecomeProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conflict := micro.Conflict("the order is ready")
	conflict.Allowed = []string{"picked_up"}
	busy := micro.E(micro.CodeLimited, "too many logins")
	busy.RetryAfter = 3 * time.Second
	mismatch := micro.E(micro.CodeInvalid, "the key was used with another body")
	mismatch.Type = order.TypeKeyMismatch
	for name, c := range map[string]struct {
		err    error
		status int
		check  func(t *testing.T, a answer, p map[string]any)
	}{
		"not found": {micro.NotFound("order"), 404, func(t *testing.T, _ answer, p map[string]any) {
			require.Equal(t, "order not found", p["detail"])
		}},
		"conflict": {conflict, 409, func(t *testing.T, _ answer, p map[string]any) {
			require.Equal(t, []any{"picked_up"}, p["allowed"])
		}},
		"forbidden": {micro.Forbidden("customers do not cook"), 403, func(*testing.T, answer, map[string]any) {}},
		"fields": {wire.Invalid{{Field: "reason", Message: "is too long"}}, 422, func(t *testing.T, _ answer, p map[string]any) {
			require.Equal(t, []any{map[string]any{"field": "reason", "message": "is too long"}}, p["errors"])
		}},
		"own type": {mismatch, 422, func(t *testing.T, _ answer, p map[string]any) {
			require.Contains(t, p["type"], order.TypeKeyMismatch)
			require.NotContains(t, p, "errors")
		}},
		"limited": {busy, 429, func(t *testing.T, a answer, _ map[string]any) {
			require.Equal(t, "3", a.header.Get("Retry-After"))
			require.Equal(t, "0", a.header.Get("RateLimit-Remaining"))
			require.Equal(t, "3", a.header.Get("RateLimit-Reset"))
		}},
		"unavailable": {micro.Unavailable(nil, "this region is unavailable"), 503, func(t *testing.T, a answer, _ map[string]any) {
			require.NotEmpty(t, a.header.Get("Retry-After"))
		}},
		"internal": {micro.E(micro.CodeInternal, "SELECT failed on 10.0.0.3"), 500, func(t *testing.T, a answer, _ map[string]any) {
			require.NotContains(t, a.body, "SELECT")
		}},
	} {
		w.fail("order.status", c.err)
		got := w.send(t, "PATCH", "/orders/"+orderID+"/status", `{"status":"confirmed"}`, w.as(t, "restaurant_owner")...)
		require.Equal(t, c.status, got.status, name)
		c.check(t, got, got.problem(t))
	}
}

func TestADeadServiceIs503(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stops["order"]()
	began := time.Now()
	got := w.get(t, "/orders/"+orderID, w.as(t, "customer")...)
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	got.problem(t)
	require.Less(t, time.Since(began), 2*time.Second)
	require.Equal(t, http.StatusOK, w.get(t, "/restaurants").status, "the others go on")
}

func TestWhatRoutesAskServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	degrees := func(v float64) *float64 { return &v }
	yes := true
	for _, c := range []struct {
		role, method, path, body, subject string
		want                              any
	}{
		{"", "GET", "/restaurants?city=SF&q=caf%C3%A9%20noir&latitude=37.5&longitude=-122&radiusKm=3&isActive=true&limit=5&cursor=abc%3D", "", "restaurant.list",
			restaurant.ListRequest{City: "SF", Q: "café noir", Latitude: degrees(37.5), Longitude: degrees(-122), RadiusKm: degrees(3), IsActive: &yes, Limit: 5, Cursor: "abc="}},
		{"", "GET", "/restaurants?city=&q=%22quoted%22%5C", "", "restaurant.list", restaurant.ListRequest{Q: `"quoted"\`}},
		{"", "GET", "/restaurants/" + restaurantID + "/menu", "", "restaurant.menu", restaurant.MenuRequest{RestaurantID: restaurantID}},
		{"admin", "DELETE", "/restaurants/" + restaurantID + "/menu/" + itemID, "", "restaurant.menu-delete",
			restaurant.MenuDeleteRequest{RestaurantID: restaurantID, ItemID: itemID}},
		{"restaurant_owner", "PATCH", "/restaurants/" + restaurantID, ` { "isActive" : true } `, "restaurant.update",
			restaurant.UpdateRequest{ID: restaurantID, Changes: restaurant.Changes{IsActive: &yes}}},
		{"restaurant_owner", "PATCH", "/restaurants/" + restaurantID, `{ }`, "restaurant.update", restaurant.UpdateRequest{ID: restaurantID}},
		{"admin", "GET", "/orders?customerId=" + strings.ToUpper(userID) + "&status=ready&restaurantId=" + restaurantID, "", "order.list",
			order.ListRequest{CustomerID: userID, Status: order.Ready, RestaurantID: restaurantID}},
		{"customer", "GET", "/orders/" + orderID + "?city=Boston", "", "order.get", order.GetRequest{ID: orderID}},
		{"customer", "PATCH", "/orders/" + orderID + "/status", `{"status":"cancelled","reason":"late"}`, "order.status",
			order.StatusRequest{ID: orderID, Status: order.Cancelled, Reason: "late"}},
		{"delivery_partner", "GET", "/delivery/assignments?history=true", "", "delivery.assignments", delivery.AssignmentsRequest{History: true}},
		{"delivery_partner", "PATCH", "/delivery/" + userID + "/availability", `{"isAvailable":true}`, "delivery.availability",
			delivery.AvailabilityRequest{ID: userID, IsAvailable: &yes}},
		{"delivery_partner", "POST", "/delivery/" + orderID + "/accept", "", "delivery.accept", delivery.OfferRequest{ID: orderID}},
		{"delivery_partner", "POST", "/delivery/" + orderID + "/decline", "{}", "delivery.decline", delivery.OfferRequest{ID: orderID}},
		{"delivery_partner", "PATCH", "/delivery/" + userID + "/location", `{"latitude":37.5,"longitude":-122,"city":"SF"}`, "tracking.location",
			tracking.LocationRequest{DeliveryPartnerID: userID, Latitude: degrees(37.5), Longitude: degrees(-122), City: "SF"}},
		{"customer", "GET", "/tracking/" + orderID, "", "tracking.get", tracking.GetRequest{OrderID: orderID}},
	} {
		got := w.send(t, c.method, c.path, c.body, w.as(t, c.role)...)
		require.Less(t, got.status, 300, c.path+got.body)
		require.Equal(t, c.want, w.got(c.subject).request, c.path)
	}
}

// A client must not be able to name an id in the body that the path decides.
func TestIDsComeFromThePathAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, body := range map[string]string{
		"/orders/" + orderID + "/status":        `{"status":"confirmed","id":"` + userID + `"}`,
		"/delivery/" + userID + "/location":     `{"latitude":1,"longitude":1,"deliveryPartnerId":"` + orderID + `"}`,
		"/delivery/" + userID + "/availability": `{"isAvailable":true,"id":"` + orderID + `"}`,
		"/restaurants/" + restaurantID:          `{"id":"` + itemID + `"}`,
	} {
		role := "delivery_partner"
		if strings.HasPrefix(path, "/restaurants") {
			role = "admin"
		}
		got := w.send(t, "PATCH", path, body, w.as(t, role)...)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, path)
	}
	require.Zero(t, w.count("order.status")+w.count("tracking.location")+w.count("delivery.availability")+w.count("restaurant.update"))
}

func TestPlacingAnOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const body = `{"restaurantId":"` + restaurantID + `","items":[{"menuItemId":"` + itemID + `","quantity":2}],
		"deliveryAddress":"501 Castro St","city":"San Francisco","latitude":37.76,"longitude":-122.43}`

	got := w.send(t, "POST", "/orders", body, w.as(t, "customer", "Idempotency-Key", "my-key 1")...)
	require.Equal(t, http.StatusCreated, got.status, got.body)
	require.Equal(t, "/orders/"+orderID, got.header.Get("Location"))
	require.Empty(t, got.header.Get("Idempotency-Replayed"))
	require.Equal(t, "my-key 1", w.got("order.create").key)
	require.Contains(t, got.body, `"totalAmount":25.00`, "money has two decimals")
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &fields))
	require.NotContains(t, fields, "replayed")

	w.send(t, "POST", "/orders", body, w.as(t, "customer")...)
	require.Empty(t, w.got("order.create").key)

	for _, bad := range []string{strings.Repeat("k", 256), "tab\there"} {
		got := w.send(t, "POST", "/orders", body, w.as(t, "customer", "Idempotency-Key", bad)...)
		require.Equal(t, http.StatusBadRequest, got.status)
		require.Contains(t, got.problem(t)["detail"], "Idempotency-Key")
	}
	got = w.send(t, "POST", "/orders", body, w.as(t, "customer", "Idempotency-Key", strings.Repeat("k", 255))...)
	require.Equal(t, http.StatusCreated, got.status)

	got = w.send(t, "POST", "/orders", strings.Replace(body, "{", `{"totalAmount":0.01,`, 1), w.as(t, "customer")...)
	require.Equal(t, http.StatusUnprocessableEntity, got.status, "nobody sets prices but the menu")
}

func TestARepeatedOrderIsMarked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stops["order"]()
	w.run(t, w.nats, "order", func(svc *micro.Service) {
		endpoint[order.CreateRequest](w.services, svc, "order", order.VerbCreate, order.Created{Order: sampleOrder, Replayed: true})
	})
	for _, s := range samples(t) {
		if s.name() != "POST /orders" {
			continue
		}
		got := w.send(t, "POST", "/orders", s.body, w.as(t, "customer", "Idempotency-Key", "again")...)
		require.Equal(t, http.StatusCreated, got.status)
		require.Equal(t, "true", got.header.Get("Idempotency-Replayed"))
		require.NotContains(t, got.body, "replayed")
	}
}

func TestCitiesAreSuggested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.get(t, "/cities?q=san%20fran&limit=3")
	require.Equal(t, http.StatusOK, got.status)
	var list struct{ Cities []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(got.body), &list))
	require.NotEmpty(t, list.Cities)
	require.LessOrEqual(t, len(list.Cities), 3)
	require.Equal(t, "San Francisco", list.Cities[0]["name"])
	require.Equal(t, "us-west", list.Cities[0]["region"])
	require.JSONEq(t, `{"cities":[]}`, w.get(t, "/cities?q=zzzzzz").body)
}
