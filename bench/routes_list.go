package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"
)

// route is one of the contract's routes and how it is asked.
type route struct {
	name    string
	prepare func(n uint64, req *fasthttp.Request)
	ok      func(*fasthttp.Response) bool // nil accepts 2xx; it may keep what later routes need
	// supply makes what requests use up, of which there is one for each, and tells
	// how many there are, 0 for as many as it takes; nil where nothing is used up.
	supply func(context.Context) (int, error)
	// clients at once; 0 is as many as everywhere. Auth refuses whom it cannot hash
	// for within its queue.
	clients int
}

// hashing is how many people sign in or up at once.
const hashing = 4

// routes are all of the contract's section 3 but the three that restSuite
// measures, in an order in which each finds what it needs.
func (w *world) routes() []route {
	menu := func(n uint64) string { return "/restaurants/" + w.restaurants.at(n) + "/menu" }
	return []route{
		{name: "POST /auth/register", clients: hashing, ok: w.signedIn, prepare: func(_ uint64, req *fasthttp.Request) {
			send(req, http.MethodPost, "/auth/register", "", fmt.Sprintf(
				`{"email":"%s@example.com","password":"secure123","firstName":"Ada","lastName":"Byron","phoneNumber":"+14155550100","role":"customer","city":%q}`,
				uuid.NewString(), newYork.city))
		}},
		{name: "POST /auth/login", clients: hashing, ok: w.signedIn, prepare: func(n uint64, req *fasthttp.Request) {
			send(req, http.MethodPost, "/auth/login", "", w.logins[n%uint64(len(w.logins))])
		}},
		{name: "POST /auth/refresh", ok: w.signedIn, prepare: func(_ uint64, req *fasthttp.Request) {
			send(req, http.MethodPost, "/auth/refresh", "", `{"refreshToken":"`+w.sessions.take().refresh+`"}`)
		}},
		{name: "POST /auth/logout", supply: w.leave, prepare: func(n uint64, req *fasthttp.Request) {
			s := w.leaving.at(n)
			send(req, http.MethodPost, "/auth/logout", s.token, `{"refreshToken":"`+s.refresh+`"}`)
		}},
		{name: "GET /auth/me", prepare: get([]string{"/auth/me"}, w.customers)},

		{name: "GET /restaurants/:id", prepare: get([]string{"/restaurants/" + w.shop.restaurant}, nobody)},
		{name: "GET /restaurants/:id/menu", prepare: get([]string{"/restaurants/" + w.shop.restaurant + "/menu"}, nobody)},
		{name: "POST /restaurants", supply: some(600), ok: keepID(&w.restaurants), prepare: func(n uint64, req *fasthttp.Request) {
			send(req, http.MethodPost, "/restaurants", w.shop.owner.Token, fmt.Sprintf(
				`{"name":"Diner %d","city":%q,"address":"1 Main St","latitude":%v,"longitude":%v,"phoneNumber":"+14155550111","email":"bench@example.com","cuisine":"American"}`,
				n, houston.city, houston.at.Latitude, houston.at.Longitude))
		}},
		{name: "PATCH /restaurants/:id", prepare: func(n uint64, req *fasthttp.Request) {
			send(req, http.MethodPatch, "/restaurants/"+w.restaurants.at(n), w.shop.owner.Token, fmt.Sprintf(`{"address":"%d Main St"}`, n))
		}},
		{name: "POST /restaurants/:id/menu", ok: keepItem(&w.items), prepare: func(n uint64, req *fasthttp.Request) {
			send(req, http.MethodPost, menu(n), w.shop.owner.Token, `{"name":"Thali","description":"fresh","price":12.5,"category":"Lunch","isAvailable":true}`)
		}},
		{name: "PATCH /restaurants/:id/menu/:itemId", prepare: func(n uint64, req *fasthttp.Request) {
			send(req, http.MethodPatch, w.items.at(n), w.shop.owner.Token, fmt.Sprintf(`{"description":"fresh %d"}`, n))
		}},
		{name: "DELETE /restaurants/:id/menu/:itemId", supply: w.items.count, prepare: func(_ uint64, req *fasthttp.Request) {
			send(req, http.MethodDelete, w.items.take(), w.shop.owner.Token, "")
		}},

		{name: "GET /orders", prepare: get([]string{"/orders"}, w.customers)},
		{name: "GET /orders, admin, all shards", prepare: get([]string{"/orders"}, []string{w.admin})},
		{name: "GET /orders/:id/history", prepare: get(suffixed(w.orders, "/history"), w.customers)},
		{name: "PATCH /orders/:id/status", supply: w.placeOrders, prepare: func(_ uint64, req *fasthttp.Request) {
			send(req, http.MethodPatch, w.placed.take()+"/status", w.shop.owner.Token, `{"status":"confirmed"}`)
		}},

		{name: "POST /delivery/:id/accept", supply: w.offerNew, prepare: func(_ uint64, req *fasthttp.Request) {
			offer := w.offers.take()
			w.assigned.put(offer)
			send(req, http.MethodPost, "/delivery/"+offer.order+"/accept", offer.token, "")
		}},
		{name: "POST /delivery/:id/decline", supply: w.offerMore, prepare: func(_ uint64, req *fasthttp.Request) {
			offer := w.offers.take()
			send(req, http.MethodPost, "/delivery/"+offer.order+"/decline", offer.token, "")
		}},
		{name: "PATCH /delivery/:id/location", prepare: func(n uint64, req *fasthttp.Request) {
			a := w.assigned.at(n)
			send(req, http.MethodPatch, "/delivery/"+a.rider+"/location", a.token, fmt.Sprintf(
				`{"latitude":%v,"longitude":%v,"heading":271.5,"speed":6.25}`, sanFrancisco.at.Latitude+float64(n%1000)/1e5, sanFrancisco.at.Longitude))
		}},
		{name: "GET /tracking/:orderId", prepare: func(n uint64, req *fasthttp.Request) {
			send(req, http.MethodGet, "/tracking/"+w.assigned.at(n).order, w.busy.customer.Token, "")
		}},
		{name: "GET /delivery/assignments", prepare: func(n uint64, req *fasthttp.Request) {
			send(req, http.MethodGet, "/delivery/assignments", w.assigned.at(n).token, "")
		}},
		{name: "GET /delivery/me", prepare: func(n uint64, req *fasthttp.Request) {
			send(req, http.MethodGet, "/delivery/me", w.assigned.at(n).token, "")
		}},
		{name: "PATCH /delivery/:id/availability", prepare: func(n uint64, req *fasthttp.Request) {
			rider := w.free[n%uint64(len(w.free))]
			send(req, http.MethodPatch, "/delivery/"+rider.rider+"/availability", rider.token,
				fmt.Sprintf(`{"isAvailable":%t}`, n/uint64(len(w.free))%2 == 1))
		}},
		{name: "GET /admin/overview", prepare: get([]string{"/admin/overview"}, []string{w.admin})},
	}
}

// send fills a request by somebody; body "" has none.
func send(req *fasthttp.Request, method, path, token, body string) {
	req.SetRequestURI("http://bench" + path)
	req.Header.SetMethod(method)
	identify(req, token)
	if body != "" {
		req.Header.SetContentType("application/json")
		req.SetBodyString(body)
	}
}

// some bounds how much is made where nothing is used up: a city has hundreds of
// restaurants, not thousands.
func some(n int) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { return n, nil }
}

// suffixed appends to each path.
func suffixed(paths []string, suffix string) []string {
	all := make([]string, len(paths))
	for i, path := range paths {
		all[i] = path + suffix
	}
	return all
}

// loginBody is a sign-in.
func loginBody(email string) string {
	return `{"email":"` + email + `","password":"secure123"}`
}
