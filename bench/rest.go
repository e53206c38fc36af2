package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/valyala/fasthttp"

	"tiffin/bench/load"
	"tiffin/bench/report"
	"tiffin/e2e/product"
)

// connections is the load every REST figure is measured with.
const connections = 64

// restSuite measures the three hot routes beside the bare hop and the
// Express peer, round by round and interleaved, because the machine's own
// speed drifts.
func restSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	fleet, err := product.Start(product.Options{Binary: s.Binary, Home: filepath.Join(s.Dir, "rest"), Env: map[string]string{
		// Limits stay on and are checked; they are only too high to be reached.
		"TIFFIN_DEMO": "off", "RATE_LIMIT_GENERAL": "1000000", "RATE_LIMIT_AUTH": "1000000", "RATE_LIMIT_ORDERS": "1000000",
	}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, fleet.Stop()) }()
	shop, err := openShop(ctx, fleet, sanFrancisco)
	if err != nil {
		return nil, err
	}
	db, row, err := benchDatabase(ctx, fleet.Env["POSTGRES_SHARD_A_URL"])
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
		{"get", "tiffin", tiffin, get("/orders/"+shop.order, shop.customer.Token)},
		{"get", "bare", bare, get("/orders/"+row, "")},
		{"get", "single", single, get("/orders/"+row, "")},
		{"get", "express", express, get("/orders/"+row, "")},
		{"post", "tiffin", tiffin, post(shop.orderBody, shop.customer.Token)},
		{"post", "bare", bare, post(shop.orderBody, "")},
		{"post", "single", single, post(shop.orderBody, "")},
		{"post", "express", express, post(shop.orderBody, "")},
		{"list", "tiffin", tiffin, get("/restaurants?city="+url.QueryEscape(shop.city), "")},
		{"list", "bare", bare, get("/echo", "")},
		{"list", "single", single, get("/echo", "")},
	}
	rounds, err := measure(ctx, s.Rounds, runs)
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
		rounds.p99("GET /orders/:id, p99 at half its top rate", "get half", report.Goal{AtMost: 15}),
		rounds.p99("POST /orders, p99 at half its top rate", "post half", report.Goal{AtMost: 15}),
		rounds.p99("GET /restaurants?city=, p99 at half its top rate", "list half", report.Goal{AtMost: 15}),
		rounds.p99("POST /orders, p99 at a quarter of its top rate", "post quarter", report.Goal{}),
		rounds.p99("the same during a flood of sign-ins", "post flood", report.Goal{}),
	}, nil
}

// called is what the peers are called in the table.
var called = map[string]string{
	"bare":    "bare hop in three processes",
	"single":  "bare hop in one process",
	"express": "Express gateway and service",
}

// target is one server measured at one route.
type target struct {
	route, who, addr string
	prepare          func(uint64, *fasthttp.Request)
}

// table holds a result per route, side and round.
type table map[string][]load.Result

// measure runs all targets once per round, in order, and Tiffin once more at
// half the rate it has just shown.
func measure(ctx context.Context, rounds int, targets []target) (table, error) {
	t := table{}
	for round := range rounds {
		for _, target := range targets {
			r := load.Run(ctx, target.addr, load.Plan{Connections: connections, Warmup: 2 * time.Second, Duration: 5 * time.Second, Prepare: target.prepare})
			if r.Errors > 0 || r.Requests == 0 {
				return nil, fmt.Errorf("%s of %s: %d of %d requests failed: %s", target.route, target.who, r.Errors, r.Requests, r.FirstError)
			}
			fmt.Printf("round %d  %-5s %-8s %8.0f/s  p50 %6.1f ms  p99 %6.1f ms\n", round+1, target.route, target.who, r.Throughput, ms(r.P50), ms(r.P99))
			key := target.route + " " + target.who
			t[key] = append(t[key], r)
			if target.who == "tiffin" {
				half := load.Run(ctx, target.addr, target.paced(r.Throughput/2))
				t[target.route+" half"] = append(t[target.route+" half"], half)
			}
		}
	}
	return t, ctx.Err()
}

// paced is load at a fixed rate, in requests per second.
func (t target) paced(rate float64) load.Plan {
	return load.Plan{Connections: connections, Warmup: time.Second, Duration: 5 * time.Second, Rate: rate, Prepare: t.prepare}
}

// p99 in milliseconds, round by round.
func (t table) p99(name, key string, goal report.Goal) report.Figure {
	rounds := make([]float64, len(t[key]))
	for i, r := range t[key] {
		rounds[i] = ms(r.P99)
	}
	return report.New(name, "", "ms", goal, rounds, t[key])
}

// ratio of throughputs, round by round.
func (t table) ratio(name, route, peer string, goal report.Goal) report.Figure {
	const who = "tiffin"
	ours, theirs := t[route+" "+who], t[route+" "+peer]
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i].Throughput / theirs[i].Throughput
	}
	return report.New(name, called[peer], "×", goal, ratios, map[string][]load.Result{who: ours, peer: theirs})
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func get(path, token string) func(uint64, *fasthttp.Request) {
	return func(_ uint64, req *fasthttp.Request) {
		req.SetRequestURI("http://bench" + path)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
	}
}

// post sends the body with an idempotency key of its own each time, as a
// careful client does.
func post(body, token string) func(uint64, *fasthttp.Request) {
	return func(_ uint64, req *fasthttp.Request) {
		req.SetRequestURI("http://bench/orders")
		req.Header.SetMethod(http.MethodPost)
		req.Header.SetContentType("application/json")
		req.Header.Set("Idempotency-Key", uuid.NewString())
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		req.SetBodyString(body)
	}
}

// shop is what the fleet needs to have before it can be measured.
type shop struct {
	city      string
	customer  *product.Person
	order     string
	orderBody string
}

// openShop makes a restaurant with a menu in the middle of a place, and one
// order a kilometre from it.
func openShop(ctx context.Context, fleet *product.Product, p place) (shop, error) {
	s := shop{city: p.city}
	owner, err := fleet.Register(ctx, "restaurant_owner", s.city)
	if err != nil {
		return s, err
	}
	if s.customer, err = fleet.Register(ctx, "customer", s.city); err != nil {
		return s, err
	}
	restaurant, err := owner.Want(ctx, http.StatusCreated, "POST", "/restaurants", product.Object{
		"name": "Bench Diner", "city": s.city, "address": "1 Main St", "latitude": p.at.Latitude, "longitude": p.at.Longitude,
		"phoneNumber": "+14155550111", "email": "bench@example.com", "cuisine": "American",
	})
	if err != nil {
		return s, err
	}
	item, err := owner.Want(ctx, http.StatusCreated, "POST", fmt.Sprintf("/restaurants/%s/menu", restaurant["id"]), product.Object{
		"name": "Thali", "description": "fresh", "price": 12.5, "category": "Lunch", "isAvailable": true,
	})
	if err != nil {
		return s, err
	}
	s.orderBody = fmt.Sprintf(`{"restaurantId":%q,"items":[{"menuItemId":%q,"quantity":2}],"deliveryAddress":"1 Market St","city":%q,"latitude":%v,"longitude":%v}`,
		restaurant["id"], item["id"], s.city, p.at.Latitude+0.005, p.at.Longitude+0.009)
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

// benchDatabase makes the peers' tables in a database of their own on the
// same cluster, so that both sides have the same disk and settings.
func benchDatabase(ctx context.Context, shardURL string) (dbURL, row string, err error) {
	admin, err := pgx.Connect(ctx, shardURL)
	if err != nil {
		return "", "", err
	}
	_, err = admin.Exec(ctx, `CREATE DATABASE bench_peers`)
	if err = errors.Join(err, admin.Close(ctx)); err != nil {
		return "", "", err
	}
	u, err := url.Parse(shardURL)
	if err != nil {
		return "", "", err
	}
	u.Path = "/bench_peers"
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return "", "", err
	}
	row = uuid.NewString()
	_, err = conn.Exec(ctx, `
		CREATE TABLE bench_orders (id text PRIMARY KEY, body jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
		CREATE TABLE bench_outbox (id text PRIMARY KEY, payload jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
		INSERT INTO bench_orders (id, body) VALUES ('`+row+`', '{"restaurantId":"x","items":[{"name":"Thali","quantity":2,"unitPrice":12.5}],"totalAmount":25.0,"status":"pending"}')`)
	return u.String(), row, errors.Join(err, conn.Close(ctx))
}
