package backup_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tiffin/e2e/product"
)

// place is a city with a kitchen and a door nearby, and one elsewhere.
type place struct {
	city     string
	lat, lon float64
}

// One city of each shard.
var places = []place{{"San Francisco", 37.7749, -122.4194}, {"New York", 40.7128, -74.0060}, {"Merida", 20.9674, -89.5926}}

// story is an order with everybody it concerns, and what the public API says of
// it before the loss.
type story struct {
	place
	owner, customer   *product.Person
	restaurant, order string
	pages             map[string]product.Object // by path, as the customer sees them
}

// live lets an order be placed and confirmed in each city.
func live(t *testing.T, p *product.Product) []*story {
	t.Helper()
	var stories []*story
	for _, where := range places {
		owner, err := p.Register(t.Context(), "restaurant_owner", where.city)
		require.NoError(t, err)
		customer, err := p.Register(t.Context(), "customer", where.city)
		require.NoError(t, err)
		s := &story{place: where, owner: owner, customer: customer}
		s.open(t)
		s.order = s.buy(t, customer)
		want(t, owner, http.StatusOK, "PATCH", "/orders/"+s.order+"/status", product.Object{"status": "confirmed"})
		s.pages = s.read(t, customer)
		stories = append(stories, s)
	}
	return stories
}

// open makes the restaurant and a dish.
func (s *story) open(t *testing.T) {
	t.Helper()
	s.restaurant, _ = want(t, s.owner, http.StatusCreated, "POST", "/restaurants", product.Object{
		"name": "Dabba " + uuid.NewString(), "city": s.city, "address": "5 Mission St", "latitude": s.lat, "longitude": s.lon,
		"phoneNumber": "+14155550111", "email": "dabba@example.com", "cuisine": "Indian",
	})["id"].(string)
	want(t, s.owner, http.StatusCreated, "POST", "/restaurants/"+s.restaurant+"/menu", product.Object{
		"name": "Thali", "description": "fresh", "price": 12.5, "category": "Lunch", "isAvailable": true,
	})
}

// buy orders two of the first dish and returns the order's id.
func (s *story) buy(t *testing.T, customer *product.Person) string {
	t.Helper()
	menu := want(t, customer, http.StatusOK, "GET", "/restaurants/"+s.restaurant+"/menu", nil)["items"].([]any)
	order := want(t, customer, http.StatusCreated, "POST", "/orders", product.Object{
		"restaurantId": s.restaurant, "deliveryAddress": "1 Market St", "city": s.city, "latitude": s.lat, "longitude": s.lon,
		"items": []product.Object{{"menuItemId": menu[0].(product.Object)["id"], "quantity": 2}},
	})
	return order["id"].(string)
}

// read takes down what the customer is shown.
func (s *story) read(t *testing.T, customer *product.Person) map[string]product.Object {
	t.Helper()
	pages := map[string]product.Object{}
	for _, path := range []string{
		"/auth/me", "/restaurants/" + s.restaurant, "/restaurants/" + s.restaurant + "/menu",
		"/orders/" + s.order, "/orders/" + s.order + "/history",
	} {
		pages[path] = want(t, customer, http.StatusOK, "GET", path, nil)
	}
	return pages
}

// requireTold requires that the other fleet tells the same story, to the
// session of before and to a new one.
func (s *story) requireTold(t *testing.T, p *product.Product) {
	t.Helper()
	s.owner.Edge, s.customer.Edge = p.Edge, p.Edge
	require.Equal(t, s.pages, s.read(t, s.customer), "the token of before is good, and personal data can be read")
	history := s.pages["/orders/"+s.order+"/history"]["history"].([]any)
	require.Len(t, history, 2, "pending and confirmed")
	session := want(t, &product.Person{Edge: p.Edge}, http.StatusOK, "POST", "/auth/login",
		product.Object{"email": s.customer.User["email"], "password": "secure123"})
	again := &product.Person{Edge: p.Edge, Token: session["token"].(string)}
	require.Equal(t, s.pages, s.read(t, again))
}

// requireLife requires that things go on: the order goes through, a new one is
// placed, and the customer's address is still taken, in another shard's city
// too.
func (s *story) requireLife(t *testing.T, p *product.Product, elsewhere *story) {
	t.Helper()
	want(t, s.owner, http.StatusOK, "PATCH", "/orders/"+s.order+"/status", product.Object{"status": "preparing"})
	require.NotEqual(t, s.order, s.buy(t, s.customer))
	want(t, &product.Person{Edge: p.Edge}, http.StatusConflict, "POST", "/auth/register", product.Object{
		"email": s.customer.User["email"], "password": "secure123", "firstName": "Eve", "lastName": "Twice",
		"phoneNumber": "+14155550100", "role": "customer", "city": elsewhere.city,
	})
}

// want performs a request and requires the status.
func want(t *testing.T, who *product.Person, status int, method, path string, body any) product.Object {
	t.Helper()
	answer, err := who.Want(t.Context(), status, method, path, body)
	require.NoError(t, err)
	return answer
}
