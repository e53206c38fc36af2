package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/valyala/fasthttp"

	"tiffin/bench/report"
	"tiffin/e2e/product"
)

const (
	// connections is the load every REST figure is measured with.
	connections = 64
	// read is how many orders are read, in turn.
	read = 1000
	// customers is how many people read and place them, in turn.
	customers = 50
)

// restSuite measures the three hot routes beside the bare hop and the
// Express peer, round by round and interleaved, because the machine's own
// speed drifts.
func restSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	fleet, err := product.Start(product.Options{Binary: s.Binary, Home: filepath.Join(s.Dir, "rest"), Env: s.environment(nil)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, fleet.Stop()) }()
	shop, err := openShop(ctx, fleet, sanFrancisco)
	if err != nil {
		return nil, err
	}
	orders, tokens, err := shop.sell(ctx, fleet)
	if err != nil {
		return nil, err
	}
	db, rows, err := benchDatabase(ctx, fleet.Env["POSTGRES_SHARD_A_URL"])
	if err != nil {
		return nil, err
	}
	bare, stopBare, err := startBareHop(ctx, s.Dir, db, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stopBare()) }()
	single, stopSingle, err := startBareHop(ctx, s.Dir, db, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stopSingle()) }()
	express, stopExpress, err := startExpress(ctx, db)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stopExpress()) }()

	tiffin := strings.TrimPrefix(fleet.Edge, "http://")
	runs := []target{
		{"get", "tiffin", tiffin, get(orders, tokens)},
		{"get", "bare", bare, get(rows, nobody)},
		{"get", "single", single, get(rows, nobody)},
		{"get", "express", express, get(rows, nobody)},
		{"post", "tiffin", tiffin, post(shop.orderBody, tokens)},
		{"post", "bare", bare, post(shop.orderBody, nobody)},
		{"post", "single", single, post(shop.orderBody, nobody)},
		{"post", "express", express, post(shop.orderBody, nobody)},
		{"list", "tiffin", tiffin, get([]string{"/restaurants?city=" + url.QueryEscape(shop.city)}, nobody)},
		{"list", "bare", bare, get([]string{"/echo"}, nobody)},
		{"list", "single", single, get([]string{"/echo"}, nobody)},
	}
	rounds, err := measure(ctx, s.Rounds, fleet, runs)
	if err != nil {
		return nil, err
	}
	if err := rounds.flood(ctx, s.Rounds, tiffin, runs); err != nil {
		return nil, err
	}
	return []report.Figure{
		rounds.ratio("GET /orders/:id", "get", "bare", report.Goal{AtLeast: 0.8}),
		rounds.ratio("GET /orders/:id", "get", "single", report.Goal{}),
		rounds.ratio("GET /orders/:id", "get", "express", report.Goal{AtLeast: 3}),
		rounds.ratio("POST /orders", "post", "bare", report.Goal{AtLeast: 0.5}),
		rounds.ratio("POST /orders", "post", "single", report.Goal{}),
		rounds.ratio("POST /orders", "post", "express", report.Goal{AtLeast: 2.5}),
		rounds.ratio("GET /restaurants?city=", "list", "bare", report.Goal{AtLeast: 0.6}),
		rounds.ratio("GET /restaurants?city=", "list", "single", report.Goal{}),
		rounds.p99("GET /orders/:id, p99 at half its top rate", "get tiffin"+halved, report.Goal{AtMost: 15}),
		rounds.tails("GET /orders/:id, p99 at half its top rate", "get", "bare"),
		rounds.tails("GET /orders/:id, p99 at half its top rate", "get", "express"),
		rounds.p99("POST /orders, p99 at half its top rate", "post tiffin"+halved, report.Goal{AtMost: 15}),
		rounds.tails("POST /orders, p99 at half its top rate", "post", "bare"),
		rounds.tails("POST /orders, p99 at half its top rate", "post", "express"),
		rounds.p99("GET /restaurants?city=, p99 at half its top rate", "list tiffin"+halved, report.Goal{AtMost: 15}),
		rounds.tails("GET /restaurants?city=, p99 at half its top rate", "list", "bare"),
		rounds.cost("GET /orders/:id, processor time of all servers", "get"),
		rounds.cost("POST /orders, processor time of all servers", "post"),
		rounds.cost("GET /restaurants?city=, processor time of all servers", "list"),
		rounds.p99("POST /orders, p99 at a quarter of its top rate", "post quarter", report.Goal{}),
		rounds.p99("the same during a flood of sign-ins", "post flood", report.Goal{}),
	}, nil
}

// nobody is the only caller of a server that does not ask who calls.
var nobody = []string{""}

// get asks for the paths in turn, by the holders of the tokens in turn.
func get(paths, tokens []string) func(uint64, *fasthttp.Request) {
	return func(n uint64, req *fasthttp.Request) {
		req.SetRequestURI("http://bench" + paths[n%uint64(len(paths))])
		identify(req, tokens[n%uint64(len(tokens))])
	}
}

// post sends the body with an idempotency key of its own each time, as a
// careful client does.
func post(body string, tokens []string) func(uint64, *fasthttp.Request) {
	return func(n uint64, req *fasthttp.Request) {
		req.SetRequestURI("http://bench/orders")
		req.Header.SetMethod(http.MethodPost)
		req.Header.SetContentType("application/json")
		req.Header.Set("Idempotency-Key", uuid.NewString())
		identify(req, tokens[n%uint64(len(tokens))])
		req.SetBodyString(body)
	}
}

// identify says who is calling; "" is nobody.
func identify(req *fasthttp.Request, token string) {
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
}

// shop is what the fleet needs to have before it can be measured.
type shop struct {
	city       string
	owner      *product.Person
	restaurant string // id
	customer   *product.Person
	order      string // id
	orderBody  string
}

// openShop makes a restaurant with a menu in the middle of a place, and one
// order a kilometre from it.
func openShop(ctx context.Context, fleet *product.Product, p place) (s shop, err error) {
	s.city = p.city
	if s.owner, err = fleet.Register(ctx, "restaurant_owner", s.city); err != nil {
		return s, err
	}
	if s.customer, err = fleet.Register(ctx, "customer", s.city); err != nil {
		return s, err
	}
	restaurant, err := s.owner.Want(ctx, http.StatusCreated, "POST", "/restaurants", product.Object{
		"name": "Bench Diner", "city": s.city, "address": "1 Main St", "latitude": p.at.Latitude, "longitude": p.at.Longitude,
		"phoneNumber": "+14155550111", "email": "bench@example.com", "cuisine": "American",
	})
	if err != nil {
		return s, err
	}
	s.restaurant, _ = restaurant["id"].(string)
	item, err := s.owner.Want(ctx, http.StatusCreated, "POST", "/restaurants/"+s.restaurant+"/menu", product.Object{
		"name": "Thali", "description": "fresh", "price": 12.5, "category": "Lunch", "isAvailable": true,
	})
	if err != nil {
		return s, err
	}
	s.orderBody = fmt.Sprintf(`{"restaurantId":%q,"items":[{"menuItemId":%q,"quantity":2}],"deliveryAddress":"1 Market St","city":%q,"latitude":%v,"longitude":%v}`,
		s.restaurant, item["id"], s.city, p.at.Latitude+0.005, p.at.Longitude+0.009)
	var body product.Object
	if err := unmarshal(s.orderBody, &body); err != nil {
		return s, err
	}
	order, err := s.customer.Want(ctx, http.StatusCreated, "POST", "/orders", body)
	if err != nil {
		return s, err
	}
	s.order, _ = order["id"].(string)
	return s, nil
}

// sell has customers place orders in turn, and gives the orders' paths and the
// customers' tokens so that the n-th path is for the n-th token, counted round.
func (s shop) sell(ctx context.Context, fleet *product.Product) (paths, tokens []string, err error) {
	var body product.Object
	if err := unmarshal(s.orderBody, &body); err != nil {
		return nil, nil, err
	}
	people := make([]*product.Person, customers)
	for i := range people {
		if people[i], err = fleet.Register(ctx, "customer", s.city); err != nil {
			return nil, nil, err
		}
		tokens = append(tokens, people[i].Token)
	}
	for i := range read {
		order, err := people[i%customers].Want(ctx, http.StatusCreated, "POST", "/orders", body)
		if err != nil {
			return nil, nil, err
		}
		paths = append(paths, fmt.Sprint("/orders/", order["id"]))
	}
	return paths, tokens, nil
}

// benchDatabase makes the peers' tables in a database of their own on the
// same cluster, so that both sides have the same disk and settings, and gives
// the paths of their orders.
func benchDatabase(ctx context.Context, shardURL string) (dbURL string, paths []string, err error) {
	admin, err := pgx.Connect(ctx, shardURL)
	if err != nil {
		return "", nil, err
	}
	_, err = admin.Exec(ctx, `CREATE DATABASE bench_peers`)
	if err = errors.Join(err, admin.Close(ctx)); err != nil {
		return "", nil, err
	}
	u, err := url.Parse(shardURL)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/bench_peers"
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return "", nil, err
	}
	_, err = conn.Exec(ctx, `
		CREATE TABLE bench_orders (id text PRIMARY KEY, body jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
		CREATE TABLE bench_outbox (id text PRIMARY KEY, payload jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now())`)
	for range read {
		row := uuid.NewString()
		_, insertErr := conn.Exec(ctx, `INSERT INTO bench_orders (id, body) VALUES ($1, $2)`, row,
			`{"restaurantId":"x","items":[{"name":"Thali","quantity":2,"unitPrice":12.5}],"totalAmount":25.0,"status":"pending"}`)
		err, paths = errors.Join(err, insertErr), append(paths, "/orders/"+row)
	}
	return u.String(), paths, errors.Join(err, conn.Close(ctx))
}
