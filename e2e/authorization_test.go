package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"tiffin/e2e/product"
)

// The cast of the matrix: everybody who may be involved in an order, and for each a stranger with the same role.
const (
	nobody   = "nobody"
	customer = "customer" // whose order it is
	stranger = "stranger" // another customer
	owner    = "owner"    // of the order's restaurant
	rival    = "rival"    // another owner
	rider    = "rider"    // who is offered the order
	idler    = "idler"    // another rider
	admin    = "admin"
)

var everybody = []string{nobody, customer, stranger, owner, rival, rider, idler, admin}

// stage is one order with its cast.
type stage struct {
	t                       *testing.T
	cast                    map[string]*person
	restaurant, item, order string
	where                   place
}

// row is one request, made by each of the cast in turn, those first who must be refused.
type row struct {
	method, route string // as the API's own description names it
	body          func(s *stage, who string) any
	path          func(s *stage, who string) string // "" or absent: the route with the stage's ids
	ok            int
	pass          []string // get ok
	hidden        []string // get 404: to them it does not exist
	public        bool     // nobody is somebody too; without it nobody gets 401
	only          []string // the cast of this row, if not everybody
}

// Every route of the API, by every role, on one's own things and on strangers'.
func TestAuthorizationMatrix(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	tried := map[string]bool{}
	for _, r := range slices.Concat(accountRows(), restaurantRows(), orderRows(), deliveryRows(), closingRows()) {
		tried[r.method+" "+r.route] = true
		s.play(r)
	}
	for _, operation := range operations(t) {
		require.True(t, tried[operation], "%s is not in the matrix", operation)
	}
}

// play makes the row's request as each of the cast.
func (s *stage) play(r row) {
	s.t.Helper()
	cast := everybody
	if r.only != nil {
		cast = r.only
	}
	var passing []string
	for _, who := range cast {
		if slices.Contains(r.pass, who) {
			passing = append(passing, who)
			continue
		}
		want := http.StatusForbidden
		switch {
		case slices.Contains(r.hidden, who):
			want = http.StatusNotFound
		case who == nobody:
			want = http.StatusUnauthorized
		}
		s.try(r, who, want)
	}
	for _, who := range passing {
		s.try(r, who, r.ok)
	}
}

func (s *stage) try(r row, who string, want int) {
	s.t.Helper()
	path := strings.NewReplacer("{id}", s.idOf(r.route), "{itemId}", s.item, "{orderId}", s.order).Replace(r.route)
	if r.path != nil {
		path = r.path(s, who)
	}
	var body any
	if r.body != nil {
		body = r.body(s, who)
	}
	status, answer, err := s.cast[who].Do(s.t.Context(), r.method, path, body)
	require.NoError(s.t, err)
	require.Equal(s.t, want, status, "%s by %s: %v", r.method+" "+path, who, answer)
	if want >= http.StatusBadRequest {
		require.NotContains(s.t, answer, "customerId", "a refusal shows nothing")
	}
}

// idOf gives what {id} stands for in a route.
func (s *stage) idOf(route string) string {
	switch {
	case strings.HasPrefix(route, "/restaurants"):
		return s.restaurant
	case strings.HasSuffix(route, "/location"), strings.HasSuffix(route, "/availability"):
		return s.cast[rider].ID()
	default:
		return s.order
	}
}

// newStage sets the scene: a restaurant, and an order that has been offered to the rider.
func newStage(t *testing.T) *stage {
	t.Helper()
	// A city where no other test has riders.
	s := &stage{t: t, cast: map[string]*person{}, where: place{"Calgary", "ca", 51.0447, -114.0719}}
	for who, role := range map[string]string{
		customer: "customer", stranger: "customer", owner: "restaurant_owner", rival: "restaurant_owner",
		rider: "delivery_partner", idler: "delivery_partner",
	} {
		s.cast[who] = register(t, role, s.where.city)
	}
	s.cast[nobody] = &person{&product.Person{Edge: fleet.Edge}, t}
	s.cast[admin] = administrator(t, s.where.city)
	restaurant, items := openRestaurant(s.cast[owner], s.where)
	s.restaurant, s.item = restaurant, items[0]
	online(s.cast[rider], s.where)
	s.order = s.cast[customer].must(http.StatusCreated, "POST", "/orders", s.newOrder())["id"].(string)
	require.Eventually(t, func() bool {
		list := s.cast[rider].must(http.StatusOK, "GET", "/delivery/assignments", nil)["assignments"].([]any)
		return len(list) == 1 && list[0].(object)["orderId"] == s.order
	}, 20*time.Second, 100*time.Millisecond)
	return s
}

func (s *stage) newOrder() object {
	return object{
		"restaurantId": s.restaurant, "items": []object{{"menuItemId": s.item, "quantity": 1}}, "city": s.where.city,
		"deliveryAddress": "1 Bow Trail", "latitude": s.where.lat + 0.01, "longitude": s.where.lon,
	}
}

// administrator makes an administrator as an operator does, over NATS, and signs in.
func administrator(t *testing.T, city string) *person {
	t.Helper()
	email := "admin-" + uuid.NewString() + "@example.com"
	conn, err := nats.Connect(fleet.Env["NATS_URL"], nats.UserInfo("ops", fleet.Env["NATS_OPS_PASSWORD"]), nats.CustomInboxPrefix("_INBOX_ops"))
	require.NoError(t, err)
	defer conn.Close()
	request, err := json.Marshal(object{"email": email, "password": "secure123", "city": city})
	require.NoError(t, err)
	answer, err := conn.Request("auth.admin-create", request, 10*time.Second)
	require.NoError(t, err)
	require.Empty(t, answer.Header.Get("Nats-Service-Error"), string(answer.Data))
	p := &person{&product.Person{Edge: fleet.Edge}, t}
	session := p.must(http.StatusOK, "POST", "/auth/login", object{"email": email, "password": "secure123"})
	p.Token, p.User = session["token"].(string), session["user"].(object)
	return p
}

// operations lists what the running fleet says it offers.
func operations(t *testing.T) []string {
	t.Helper()
	description, err := (&product.Person{Edge: fleet.Edge}).Want(t.Context(), http.StatusOK, "GET", "/openapi.json", nil)
	require.NoError(t, err)
	var all []string
	for path, methods := range description["paths"].(object) {
		for method, operation := range methods.(object) {
			if tags := operation.(object)["tags"].([]any); tags[0] != "Probes and documentation" {
				all = append(all, strings.ToUpper(method)+" "+path)
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

// signedIn is everybody but nobody.
func signedIn() []string { return everybody[1:] }

func fixed(body any) func(*stage, string) any { return func(*stage, string) any { return body } }

func accountRows() []row {
	credentials := func(s *stage, _ string) any {
		return object{"email": s.cast[customer].User["email"], "password": "secure123"}
	}
	return []row{
		{method: "POST", route: "/auth/register", ok: 201, pass: everybody, public: true, body: func(s *stage, _ string) any {
			return object{"email": uuid.NewString() + "@example.com", "password": "secure123", "firstName": "A", "lastName": "B",
				"phoneNumber": "+14155550100", "role": "customer", "city": s.where.city}
		}},
		{method: "POST", route: "/auth/register", ok: 422, pass: everybody, public: true, body: func(s *stage, _ string) any {
			return object{"email": uuid.NewString() + "@example.com", "password": "secure123", "firstName": "A", "lastName": "B",
				"phoneNumber": "+14155550100", "role": "admin", "city": s.where.city}
		}},
		{method: "POST", route: "/auth/login", ok: 200, pass: everybody, public: true, body: credentials},
		{method: "POST", route: "/auth/refresh", ok: 401, pass: everybody, public: true, body: fixed(object{"refreshToken": "made-up"})},
		{method: "POST", route: "/auth/logout", ok: 204, pass: []string{customer}, only: []string{nobody, customer}, body: func(s *stage, who string) any {
			session := s.cast[customer].must(http.StatusOK, "POST", "/auth/login", credentials(s, who))
			return object{"refreshToken": session["refreshToken"]}
		}},
		{method: "POST", route: "/auth/logout", ok: 401, pass: []string{stranger}, only: []string{stranger}, body: func(s *stage, who string) any {
			session := s.cast[customer].must(http.StatusOK, "POST", "/auth/login", credentials(s, who))
			return object{"refreshToken": session["refreshToken"]}
		}},
		{method: "GET", route: "/auth/me", ok: 200, pass: signedIn()},
		{method: "GET", route: "/cities", ok: 200, pass: everybody, public: true, path: func(*stage, string) string { return "/cities?q=cal" }},
		{method: "GET", route: "/admin/overview", ok: 200, pass: []string{admin}},
		{method: "GET", route: "/admin/audit", ok: 200, pass: []string{admin}},
		{method: "GET", route: "/admin/riders", ok: 200, pass: []string{admin}},
		{method: "GET", route: "/admin/orders/{id}/offers", ok: 200, pass: []string{admin}},
		{method: "GET", route: "/admin/api-keys", ok: 200, pass: []string{admin}},
		{method: "POST", route: "/admin/api-keys", ok: 201, pass: []string{admin}, body: keyFor},
		{method: "DELETE", route: "/admin/api-keys/{id}", ok: 204, pass: []string{admin}, path: func(s *stage, _ string) string {
			made := s.cast[admin].must(http.StatusCreated, "POST", "/admin/api-keys", keyFor(s, admin))
			return "/admin/api-keys/" + made["apiKey"].(object)["id"].(string)
		}},
	}
}

// keyFor asks for an API key that acts for the customer.
func keyFor(s *stage, _ string) any {
	return object{"name": "Matrix", "userId": s.cast[customer].ID(), "scopes": []string{"orders:read"}}
}

func restaurantRows() []row {
	keepers := []string{owner, admin}
	theirs := func(s *stage, _ string) string { return "/restaurants?ownerUserId=" + s.cast[owner].ID() }
	dish := object{"name": "Dal", "description": "slow", "price": 9.5, "category": "Lunch", "isAvailable": true}
	return []row{
		{method: "GET", route: "/restaurants", path: theirs, ok: 200, pass: keepers},
		{method: "GET", route: "/restaurants", ok: 200, pass: everybody, public: true},
		{method: "GET", route: "/restaurants/{id}", ok: 200, pass: everybody, public: true},
		{method: "GET", route: "/restaurants/{id}/menu", ok: 200, pass: everybody, public: true},
		{method: "POST", route: "/restaurants", ok: 201, pass: []string{owner, rival, admin}, body: func(s *stage, _ string) any {
			return object{"name": "Another", "city": s.where.city, "address": "2 Bow Trail", "latitude": s.where.lat, "longitude": s.where.lon,
				"phoneNumber": "+14035550111", "email": "another@example.com"}
		}},
		{method: "PATCH", route: "/restaurants/{id}", ok: 200, pass: keepers, body: fixed(object{"cuisine": "Punjabi"})},
		{method: "POST", route: "/restaurants/{id}/menu", ok: 201, pass: keepers, body: fixed(dish)},
		{method: "PATCH", route: "/restaurants/{id}/menu/{itemId}", ok: 200, pass: keepers, body: fixed(object{"description": "slower"})},
		{method: "DELETE", route: "/restaurants/{id}/menu/{itemId}", ok: 204, pass: keepers, path: func(s *stage, who string) string {
			item := s.item
			if slices.Contains(keepers, who) { // one of their own to delete; the others try the one that is ordered
				item = s.cast[owner].must(http.StatusCreated, "POST", "/restaurants/"+s.restaurant+"/menu", dish)["id"].(string)
			}
			return "/restaurants/" + s.restaurant + "/menu/" + item
		}},
	}
}

func orderRows() []row {
	involved, strangers := []string{customer, owner, rider, admin}, []string{stranger, rival, idler}
	to := func(status string) func(*stage, string) any { return fixed(object{"status": status}) }
	foreign := func(s *stage, _ string) string { return "/orders?customerId=" + s.cast[customer].ID() }
	return []row{
		{method: "GET", route: "/orders/{id}", ok: 200, pass: involved, hidden: strangers},
		{method: "GET", route: "/orders/{id}/history", ok: 200, pass: involved, hidden: strangers},
		{method: "GET", route: "/tracking/{orderId}", ok: 200, pass: involved, hidden: strangers},
		{method: "GET", route: "/orders", ok: 200, pass: signedIn()},
		{method: "GET", route: "/orders", ok: 200, pass: []string{customer, admin}, only: []string{nobody, customer, stranger, admin}, path: foreign},
		// Who could never make the move is told so; who could make it elsewhere does not see the order.
		{method: "PATCH", route: "/orders/{id}/status", body: to("cancelled"), hidden: []string{stranger, rival},
			only: []string{nobody, stranger, rival, rider, idler}},
		{method: "PATCH", route: "/orders/{id}/status", body: to("confirmed"), ok: 200, pass: []string{owner, admin}, hidden: []string{rival}},
	}
}

func deliveryRows() []row {
	mine := func(row row) row {
		row.pass, row.hidden = []string{rider}, []string{idler}
		return row
	}
	to := func(status string) func(*stage, string) any { return fixed(object{"status": status}) }
	here := func(s *stage, _ string) any { return object{"latitude": s.where.lat, "longitude": s.where.lon} }
	return []row{
		{method: "GET", route: "/delivery/assignments", ok: 200, pass: []string{rider, idler}},
		{method: "GET", route: "/delivery/me", ok: 200, pass: []string{rider, idler}},
		mine(row{method: "PATCH", route: "/delivery/{id}/location", ok: 200, body: here}),
		mine(row{method: "PATCH", route: "/delivery/{id}/availability", ok: 200, body: fixed(object{"isAvailable": true})}),
		mine(row{method: "POST", route: "/delivery/{id}/accept", ok: 200}),
		mine(row{method: "POST", route: "/delivery/{id}/decline", ok: 409}),
		{method: "PATCH", route: "/orders/{id}/status", body: to("preparing"), ok: 200, pass: []string{owner}, hidden: []string{rival},
			only: []string{nobody, customer, rider, rival, owner}},
		{method: "PATCH", route: "/orders/{id}/status", body: to("ready"), ok: 200, pass: []string{owner}, only: []string{customer, owner}},
		{method: "PATCH", route: "/orders/{id}/status", body: to("picked_up"), ok: 200, pass: []string{rider}, hidden: []string{idler},
			only: []string{nobody, customer, stranger, owner, rival, idler, rider}},
		{method: "PATCH", route: "/orders/{id}/status", body: to("delivered"), ok: 200, pass: []string{rider}, hidden: []string{idler},
			only: []string{nobody, customer, stranger, owner, rival, idler, rider}},
		{method: "GET", route: "/tracking/{orderId}", ok: 200, pass: []string{customer, owner, rider, admin}, hidden: []string{stranger, rival, idler}},
	}
}

// closingRows place orders, which would be offered to the rider if they came before.
func closingRows() []row {
	return []row{{method: "POST", route: "/orders", ok: 201, pass: []string{customer, stranger},
		body: func(s *stage, _ string) any { return s.newOrder() }}}
}

// Lists show what one may see, and nothing else, whoever asks.
func TestListsHoldOnlyOnesOwn(t *testing.T) {
	t.Parallel()
	where := place{"Winnipeg", "ca", 49.8951, -97.1384}
	s := &stage{t: t, where: where, cast: map[string]*person{}}
	for who, role := range map[string]string{customer: "customer", stranger: "customer", owner: "restaurant_owner", rival: "restaurant_owner", idler: "delivery_partner"} {
		s.cast[who] = register(t, role, where.city)
	}
	s.cast[admin] = administrator(t, where.city)
	restaurant, items := openRestaurant(s.cast[owner], where)
	s.restaurant, s.item = restaurant, items[0]
	s.order = s.cast[customer].must(http.StatusCreated, "POST", "/orders", s.newOrder())["id"].(string)
	for who, sees := range map[string]bool{customer: true, owner: true, admin: true, stranger: false, rival: false, idler: false} {
		orders := s.cast[who].must(http.StatusOK, "GET", "/orders?city=Winnipeg", nil)["orders"].([]any)
		require.Equal(t, sees, slices.ContainsFunc(orders, func(o any) bool { return o.(object)["id"] == s.order }), who)
	}
}
