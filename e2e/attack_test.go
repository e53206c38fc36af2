package e2e_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// victim is what the attacks of this suite are after: an order that waits, its people, and a stranger who wants in.
type victim struct {
	t                        *testing.T
	customer, stranger       *person
	owner, rival, admin      *person
	where                    place
	restaurant, item, order  string
	refresh, ended, signedUp string // refresh token of the customer, access token of a session that was ended, an e-mail
}

// internals are words that an answer to an attacker must not hold.
var internals = regexp.MustCompile(`(?i)pgx|postgres|sql|mongo|nats|jetstream|goroutine|panic|fasthttp|\.go:|redis|127\.0\.0\.1:`)

// The whole fleet under attack, from outside, over every way in. Each row is an attack and the answer it must get. What
// needs other settings than this fleet's is tried elsewhere: floods by address and slow sockets in services/edge, leaked
// passwords of every role in micro/permissions_test.go, RabbitMQ's users in deploy/rabbitmq.
func TestUnderAttack(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	for family, rows := range map[string][]hostile{
		"tokens": v.tokens(), "ownership": v.ownership(), "mass assignment": v.massAssignment(),
		"operators and wildcards": v.operators(), "bombs": v.bombs(), "forged headers": v.forgedHeaders(), "keys": v.keys(),
	} {
		t.Run(family, func(t *testing.T) {
			for _, row := range rows {
				t.Run(row.name, func(t *testing.T) { v.throw(t, row) })
			}
		})
	}
	t.Run("smuggling", func(t *testing.T) { v.smuggling(t) })
	t.Run("a flood by one key", func(t *testing.T) { v.flood(t) })
	t.Run("sockets", func(t *testing.T) { v.sockets(t) })
	t.Run("nats", func(t *testing.T) { v.nats(t) })
	t.Run("amqp", func(t *testing.T) { v.amqp(t) })
	t.Run("slow clients", func(t *testing.T) { v.slow(t) })

	after := v.customer.must(http.StatusOK, "GET", "/orders/"+v.order, nil)
	require.Equal(t, "pending", after["status"], "nothing of it had any effect")
	require.Nil(t, after["deliveryPartnerId"])
	require.Len(t, v.customer.must(http.StatusOK, "GET", "/orders/"+v.order+"/history", nil)["history"], 1)
	v.customer.must(http.StatusOK, "GET", "/readyz", nil)
}

// newVictim sets the scene in a city where nobody else works.
func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{t: t, where: place{"Fresno", "us-west", 36.7378, -119.7871}}
	v.customer, v.stranger = register(t, "customer", v.where.city), register(t, "customer", v.where.city)
	v.owner, v.rival = register(t, "restaurant_owner", v.where.city), register(t, "restaurant_owner", v.where.city)
	v.admin = administrator(t, v.where.city)
	restaurant, items := openRestaurant(v.owner, v.where)
	v.restaurant, v.item = restaurant, items[0]
	v.signedUp = v.customer.User["email"].(string)
	v.order = v.customer.must(http.StatusCreated, "POST", "/orders", v.cart())["id"].(string)
	credentials := object{"email": v.signedUp, "password": "secure123"}
	v.refresh = v.customer.must(http.StatusOK, "POST", "/auth/login", credentials)["refreshToken"].(string)
	session := v.customer.must(http.StatusOK, "POST", "/auth/login", credentials)
	v.ended = session["token"].(string)
	v.customer.must(http.StatusNoContent, "POST", "/auth/logout", object{"refreshToken": session["refreshToken"]})
	return v
}

// cart is a good order.
func (v *victim) cart() object {
	return object{
		"restaurantId": v.restaurant, "items": []object{{"menuItemId": v.item, "quantity": 1}}, "city": v.where.city,
		"deliveryAddress": "1 Fulton St", "latitude": v.where.lat, "longitude": v.where.lon,
	}
}

// with is a good order with something added or replaced.
func (v *victim) with(key string, value any) object {
	cart := v.cart()
	cart[key] = value
	return cart
}

// hostile is one request and the answer it must get.
type hostile struct {
	name, method, path string
	as                 *person           // whose token it carries, nil: none
	headers            map[string]string // over and above
	body               any               // a string is sent as it is, anything else as JSON
	want               int
	lacks              string // what a good answer must not hold
}

// throw makes the request and judges the answer.
func (v *victim) throw(t *testing.T, row hostile) {
	t.Helper()
	payload := ""
	switch body := row.body.(type) {
	case nil:
	case string:
		payload = body
	default:
		payload = text(t, body)
	}
	req, err := http.NewRequestWithContext(t.Context(), row.method, fleet.Edge+row.path, strings.NewReader(payload))
	require.NoError(t, err)
	if payload != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if row.as != nil {
		req.Header.Set("Authorization", "Bearer "+row.as.Token)
	}
	for name, value := range row.headers {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, row.want, res.StatusCode, "%s", answer)
	if row.lacks != "" {
		require.NotContains(t, string(answer), row.lacks)
	}
	if row.want >= http.StatusBadRequest {
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
		require.NotRegexp(t, internals, string(answer))
		require.NotContains(t, string(answer), v.customer.ID())
	}
}

func (v *victim) ownership() []hostile {
	order := "/orders/" + v.order
	return []hostile{
		{name: "read", method: "GET", path: order, as: v.stranger, want: 404},
		{name: "read in another case", method: "GET", path: "/orders/" + strings.ToUpper(v.order), as: v.stranger, want: 404},
		{name: "history", method: "GET", path: order + "/history", as: v.stranger, want: 404},
		{name: "follow", method: "GET", path: "/tracking/" + v.order, as: v.rival, want: 404},
		{name: "cancel", method: "PATCH", path: order + "/status", as: v.stranger, body: object{"status": "cancelled"}, want: 404},
		{name: "reject as another kitchen", method: "PATCH", path: order + "/status", as: v.rival, body: object{"status": "rejected"}, want: 404},
		{name: "deliver without being a rider", method: "PATCH", path: order + "/status", as: v.customer, body: object{"status": "delivered"}, want: 403},
		{name: "list somebody's", method: "GET", path: "/orders?customerId=" + v.customer.ID(), as: v.stranger, want: 403},
		{name: "another's restaurant", method: "PATCH", path: "/restaurants/" + v.restaurant, as: v.rival, body: object{"name": "Mine"}, want: 403},
		{name: "the fleet's state", method: "GET", path: "/admin/overview", as: v.owner, want: 403},
		{name: "the audit log", method: "GET", path: "/admin/audit", as: v.owner, want: 403},
		{name: "end another's session", method: "POST", path: "/auth/logout", as: v.stranger, body: object{"refreshToken": v.refresh}, want: 401},
		{name: "another's idempotency key", method: "POST", path: "/orders", as: v.stranger, headers: map[string]string{"Idempotency-Key": v.order},
			body: object{"restaurantId": v.restaurant}, want: 422},
	}
}

func (v *victim) massAssignment() []hostile {
	account := func(key string, value any) object {
		o := object{"email": uuid.NewString() + "@example.com", "password": "secure123", "firstName": "A", "lastName": "B",
			"phoneNumber": "+14155550100", "role": "customer", "city": v.where.city}
		o[key] = value
		return o
	}
	up := func(name string, body any, want int) hostile {
		return hostile{name: name, method: "POST", path: "/auth/register", body: body, want: want}
	}
	place := func(name, key string, value any) hostile {
		return hostile{name: name, method: "POST", path: "/orders", as: v.stranger, body: v.with(key, value), want: 422}
	}
	twice := strings.Replace(text(v.t, account("x", 1)), `"x":1`, `"role":"admin"`, 1)
	return []hostile{
		up("an administrator", account("role", "admin"), 422), up("the operator", account("role", "operator"), 422),
		up("an id of one's choice", account("id", v.customer.ID()), 422), up("a hash", account("passwordHash", "$2a$04$"), 422),
		up("a role twice", twice, 400), up("Role beside role", account("Role", "admin"), 422),
		up("a prototype", account("__proto__", object{"role": "admin"}), 422),
		{name: "a form", method: "POST", path: "/auth/register", body: "role=admin&email=a@b.c",
			headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, want: 415},
		place("a price", "totalAmount", 0.01), place("an owner", "customerId", v.customer.ID()), place("a status", "status", "delivered"),
		place("a rider", "deliveryPartnerId", v.stranger.ID()), place("an id", "id", v.order),
		place("a unit price", "items", []object{{"menuItemId": v.item, "quantity": 1, "unitPrice": 0.01}}),
		place("less than nothing", "items", []object{{"menuItemId": v.item, "quantity": -5}}),
		{name: "a restaurant for another", method: "PATCH", path: "/restaurants/" + v.restaurant, as: v.owner,
			body: object{"ownerUserId": v.rival.ID()}, want: 422},
		{name: "who moved it", method: "PATCH", path: "/orders/" + v.order + "/status", as: v.owner,
			body: object{"status": "confirmed", "actorRole": "admin"}, want: 422},
	}
}

func (v *victim) operators() []hostile {
	sign := func(name string, email, password any, want int) hostile {
		return hostile{name: name, method: "POST", path: "/auth/login", body: object{"email": email, "password": password}, want: want}
	}
	find := func(name, query string, want int) hostile {
		return hostile{name: name, method: "GET", path: "/restaurants?city=Fresno&" + query, want: want, lacks: v.restaurant}
	}
	order := func(name, id string) hostile {
		return hostile{name: name, method: "GET", path: "/orders/" + url.PathEscape(id), as: v.stranger, want: 404, lacks: v.order}
	}
	return []hostile{
		sign("any e-mail", object{"$gt": ""}, "secure123", 422), sign("any password", v.signedUp, object{"$ne": nil}, 422),
		sign("a pattern", "%@example.com", "secure123", 401), sign("a condition", v.signedUp+"' or '1'='1", "x", 401),
		sign("a comment", v.signedUp+"'--", "x", 401), sign("a list", []string{v.signedUp}, "secure123", 422),
		sign("a NUL", v.signedUp, "secure123\x00", 422), sign("a longer password", v.signedUp, "secure123"+strings.Repeat("x", 70), 422),
		find("a LIKE wildcard", "cuisine=Ind%25", 200), find("LIKE for one", "cuisine=_ndian", 200),
		find("a regular expression", "cuisine=Ind.*", 200), find("an operator", "cuisine="+url.QueryEscape(`{"$ne":""}`), 200),
		find("an endless expression", "q=x"+url.QueryEscape("(a+)+$"), 200),
		find("too much text", "q="+strings.Repeat("a", 2000), 422), find("a NUL in text", "q=a%00b", 422),
		find("a cursor of one's own", "cursor="+url.QueryEscape(`{"$gt":""}`), 422),
		order("a NATS wildcard", "*"), order("all of NATS", ">"), order("another subject", "x.cancel"), order("a space", "x "+v.order),
		order("a Redis key", "tracking:order:"+v.order), order("a Redis pattern", "order:*"), order("SQL", v.order+"' or '1'='1"),
		order("another path", "../admin/overview"), order("a line break", v.order+"\r\n"),
		{name: "an operator as id", method: "POST", path: "/orders", as: v.stranger, body: v.with("restaurantId", object{"$ne": nil}), want: 422},
		{name: "a city of subjects", method: "POST", path: "/orders", as: v.stranger, body: v.with("city", "events.order.>"), want: 422},
		{name: "a cursor of SQL", method: "GET", path: "/orders?cursor=" + url.QueryEscape("' or 1=1 --"), as: v.stranger, want: 422},
		{name: "a status of SQL", method: "GET", path: "/orders?status=" + url.QueryEscape("pending' or 1=1"), as: v.stranger, want: 422},
		{name: "a filter of operators", method: "GET", path: "/orders?customerId[$ne]=x", as: v.stranger, want: 200, lacks: v.order},
		{name: "any actor", method: "GET", path: "/admin/audit?actorId=" + url.QueryEscape("%' or ''='"), as: v.admin, want: 200, lacks: "sign-in"},
	}
}

func (v *victim) bombs() []hostile {
	login := func(name, body string, want int) hostile {
		return hostile{name: name, method: "POST", path: "/auth/login", body: body, want: want}
	}
	lines := make([]object, 2000)
	for i := range lines {
		lines[i] = object{"menuItemId": v.item, "quantity": 1}
	}
	return []hostile{
		login("depth", strings.Repeat(`{"a":`, 20000)+"1"+strings.Repeat("}", 20000), 400),
		login("open brackets", strings.Repeat("[", 200000), 400),
		login("size", `{"email":"`+strings.Repeat("a", 300<<10)+`"}`, 413),
		login("a huge number", `{"email":1e400,"password":"x"}`, 400),
		login("a long number", `{"email":`+strings.Repeat("9", 100000)+`,"password":"x"}`, 400),
		{name: "gzip", method: "POST", path: "/auth/login", body: "\x1f\x8b\x08", headers: map[string]string{"Content-Encoding": "gzip"}, want: 415},
		{name: "brotli", method: "POST", path: "/auth/login", body: "x", headers: map[string]string{"Content-Encoding": "br"}, want: 415},
		{name: "many lines", method: "POST", path: "/orders", as: v.stranger, body: v.with("items", lines), want: 422},
		{name: "an overflow", method: "POST", path: "/orders", as: v.stranger, want: 422,
			body: v.with("items", []object{{"menuItemId": v.item, "quantity": 1 << 62}})},
		{name: "a long key", method: "POST", path: "/orders", as: v.stranger, body: v.cart(),
			headers: map[string]string{"Idempotency-Key": strings.Repeat("k", 256)}, want: 400},
		{name: "a page of everything", method: "GET", path: "/orders?limit=1000000", as: v.stranger, want: 422},
	}
}

func (v *victim) forgedHeaders() []hostile {
	look := func(name, header, value string) hostile {
		return hostile{name: name, method: "GET", path: "/orders/" + v.order, headers: map[string]string{header: value}, want: 401, lacks: v.order}
	}
	return []hostile{
		look("the internal actor", "Tiffin-Actor", "operator ops"), look("another gateway's user", "X-User-Id", v.customer.ID()),
		look("another gateway's role", "X-User-Role", "admin"), look("a cookie", "Cookie", "token="+v.customer.Token),
		look("basic", "Authorization", "Basic b3BzOm9wcw=="), look("a trusted address", "X-Forwarded-For", "127.0.0.1"),
		look("a rewritten path", "X-Original-Url", "/healthz"), look("a client certificate", "X-Client-Cert", "CN=ops"),
		{name: "another method", method: "POST", path: "/orders/" + v.order, as: v.admin, headers: map[string]string{"X-Http-Method-Override": "DELETE"}, want: 405},
		{name: "no deadline", method: "GET", path: "/orders/" + v.order, as: v.stranger, headers: map[string]string{"Tiffin-Deadline": "9999999999999"}, want: 404},
		{name: "another page", method: "GET", path: "/ws", as: v.customer, want: 403, headers: map[string]string{
			"Origin": "https://evil.example", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}},
	}
}

// smuggling sends what two servers could read differently, and half requests.
func (v *victim) smuggling(t *testing.T) {
	const login = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for name, raw := range map[string]string{
		"length and chunks":     login + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin/overview HTTP/1.1\r\nHost: x\r\n\r\n",
		"two lengths":           login + "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
		"hidden chunks":         login + "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}",
		"chunks under cover":    login + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"a negative length":     login + "Content-Length: -1\r\n\r\n",
		"a length with a sign":  login + "Content-Length: +2\r\n\r\n{}",
		"a folded header":       login + "X-A: b\r\n Content-Length: 2\r\n\r\n",
		"bare line feeds":       login + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
		"a header without name": login + ": x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			res := v.raw(t, raw)
			require.Equal(t, http.StatusBadRequest, res.StatusCode)
			require.True(t, res.Close, "what follows on the connection is not read")
		})
	}
	t.Run("a request id that would break lines", func(t *testing.T) {
		res := v.raw(t, "GET /restaurants HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: a%0d%0aSet-Cookie: b\r\n\r\n")
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.NotContains(t, res.Header.Get("X-Request-Id"), "Set-Cookie")
		require.Empty(t, res.Header.Get("Set-Cookie"))
	})
}

// raw sends text as it is and reads the answer's head.
func (v *victim) raw(t *testing.T, request string) *http.Response {
	t.Helper()
	conn := v.dial(t)
	_, err := io.WriteString(conn, request)
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res
}

func (v *victim) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(fleet.Edge, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // the edge may have closed it first
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return conn
}

// slow begins requests and never ends them; each is cut off, while others are served.
func (v *victim) slow(t *testing.T) {
	began := time.Now()
	closed := make(chan struct{}, 8)
	for _, beginning := range []string{
		"", "G", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
		"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
	} {
		conn := v.dial(t)
		_, err := io.WriteString(conn, beginning)
		require.NoError(t, err)
		go func() {
			_, _ = io.Copy(io.Discard, conn) // ends with the connection, however that ends
			closed <- struct{}{}
		}()
	}
	v.customer.must(http.StatusOK, "GET", "/orders/"+v.order, nil)
	for range 5 {
		<-closed
	}
	require.Less(t, time.Since(began), 15*time.Second)
}
