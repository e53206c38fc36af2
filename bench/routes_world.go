package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/valyala/fasthttp"

	"tiffin/bench/load"
	"tiffin/e2e/product"
	"tiffin/services/auth"
	"tiffin/services/auth/token"
)

const (
	// supplied is how many orders are made for a route that uses them up.
	supplied = 2000
	// atWork is how many riders there are for them.
	atWork = 30_000
)

// world is a fleet in which every route has something to do: a shop in a city
// without riders, so that its orders stay with it, and one in a city full of
// them, and what earlier requests have made for later ones.
type world struct {
	fleet     *product.Product
	signer    *token.Signer
	shop      shop         // without riders
	busy      shop         // with them
	customers []string     // tokens
	logins    []string     // bodies of their sign-ins
	orders    []string     // paths of theirs, the n-th of the n-th customer, counted round
	admin     string       // token
	free      []assignment // of riders in a third city, where nobody orders

	sessions    pool[session]
	leaving     pool[session]
	restaurants pool[string]
	items       pool[string] // paths on menus
	placed      pool[string] // paths of orders
	offers      pool[assignment]
	assigned    pool[assignment] // of riders who accepted
}

// session is a signed-in customer.
type session struct{ token, refresh string }

// assignment is a rider and the order that they were offered.
type assignment struct{ rider, token, order string }

// openWorld makes it.
func openWorld(ctx context.Context, s stage) (w *world, err error) {
	fleet, router, err := startTowns(s, "routes", map[string]string{"OFFER_TTL": "24h", "ACCEPT_TTL": "24h", "RIDER_SILENT_TTL": "24h"})
	if err != nil {
		return nil, err
	}
	w = &world{fleet: fleet, signer: token.NewSigner(fleet.Env["JWT_SECRET"], time.Hour)}
	defer func() {
		if err != nil {
			err = errors.Join(err, fleet.Stop())
		}
	}()
	if w.shop, err = openShop(ctx, fleet, newYork); err != nil {
		return nil, err
	}
	if w.orders, w.customers, err = w.shop.sell(ctx, fleet); err != nil {
		return nil, err
	}
	for _, city := range []place{sanFrancisco, houston} {
		t, err := populate(ctx, fleet, router, city, atWork, 0)
		if err != nil {
			return nil, err
		}
		if city == sanFrancisco {
			w.busy = t.shop
			continue
		}
		for _, id := range t.riders[:1000] {
			w.free = append(w.free, assignment{rider: id, token: w.sign(id, auth.RoleRider)})
		}
	}
	w.admin = w.sign(router.NewID(newYork.region), auth.RoleAdmin)
	for range customers {
		who, err := fleet.Register(ctx, auth.RoleCustomer, newYork.city)
		if err != nil {
			return nil, err
		}
		email, _ := who.User["email"].(string)
		w.logins = append(w.logins, loginBody(email))
	}
	return w, nil
}

// sign makes a token as auth does. To sign thousands in would be minutes of
// hashed passwords, and add nothing to what is measured.
func (w *world) sign(id, role string) string {
	raw, _, err := w.signer.Sign(id, role, "bench")
	if err != nil {
		panic(err) // the claims are ours
	}
	return raw
}

// signedIn keeps a session.
func (w *world) signedIn(res *fasthttp.Response) bool {
	var body struct {
		RefreshToken string
		User         struct{ ID string }
	}
	if res.StatusCode()/100 != 2 || json.Unmarshal(res.Body(), &body) != nil {
		return false
	}
	w.sessions.put(session{token: w.sign(body.User.ID, auth.RoleCustomer), refresh: body.RefreshToken})
	return true
}

// leave has all who are signed in sign out, over and over: the first time ends a
// session, and ending it again is written and announced the same.
func (w *world) leave(ctx context.Context) (int, error) {
	w.leaving.clear()
	n, err := w.sessions.count(ctx)
	for range n {
		w.leaving.put(w.sessions.take())
	}
	return 0, err
}

// placeOrders makes orders that wait for their restaurant.
func (w *world) placeOrders(ctx context.Context) (int, error) {
	w.placed.clear()
	ids, err := w.place(ctx, w.shop)
	for _, id := range ids {
		w.placed.put("/orders/" + id)
	}
	return len(ids), err
}

// offerNew ends what riders carry, and has new orders offered.
func (w *world) offerNew(ctx context.Context) (int, error) {
	w.assigned.clear()
	return w.offerOrders(ctx, "offered", "accepted", "picked_up")
}

// offerMore ends what is only offered, and has new orders offered.
func (w *world) offerMore(ctx context.Context) (int, error) { return w.offerOrders(ctx, "offered") }

// offerOrders ends offers in some states, makes orders, and waits until each is
// offered to a rider. Thousands of riders who stay busy around one restaurant
// would be in the way of every search.
func (w *world) offerOrders(ctx context.Context, ends ...string) (int, error) {
	w.offers.clear()
	conn, err := pgx.Connect(ctx, w.fleet.Env["POSTGRES_SHARD_"+sanFrancisco.shard+"_URL"])
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, endSQL, sanFrancisco.region, time.Duration(0), ends); err != nil {
		return 0, err
	}
	ids, err := w.place(ctx, w.busy)
	if err != nil {
		return 0, err
	}
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = await(wait, func() (bool, error) {
		rows, err := conn.Query(ctx, `select partner_id::text, '', order_id::text from delivery.offers where status = 'offered' and order_id = any($1::uuid[])`, ids)
		if err != nil {
			return false, err
		}
		offers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r assignment, err error) {
			return r, row.Scan(&r.rider, &r.token, &r.order)
		})
		if err != nil || len(offers) < len(ids) {
			return false, err
		}
		for _, o := range offers {
			o.token = w.sign(o.rider, auth.RoleRider)
			w.offers.put(o)
		}
		return true, nil
	})
	if err != nil {
		return 0, fmt.Errorf("not every order was offered: %w", err)
	}
	return len(ids), nil
}

// place has a customer of a shop place orders, and gives their ids.
func (w *world) place(ctx context.Context, s shop) ([]string, error) {
	var ids pool[string]
	r := load.Run(ctx, strings.TrimPrefix(w.fleet.Edge, "http://"), load.Plan{
		Connections: connections, Duration: time.Minute, Limit: supplied,
		Prepare: post(s.orderBody, []string{s.customer.Token}), OK: keepID(&ids),
	})
	if err := failed(r); err != nil {
		return nil, err
	}
	return ids.all, ctx.Err()
}

// keepID keeps the id of what was created.
func keepID(in *pool[string]) func(*fasthttp.Response) bool {
	return func(res *fasthttp.Response) bool {
		var body struct{ ID string }
		if res.StatusCode() != http.StatusCreated || json.Unmarshal(res.Body(), &body) != nil {
			return false
		}
		in.put(body.ID)
		return true
	}
}

// keepItem keeps the path of an item that was created.
func keepItem(in *pool[string]) func(*fasthttp.Response) bool {
	return func(res *fasthttp.Response) bool {
		var body struct{ ID, RestaurantID string }
		if res.StatusCode() != http.StatusCreated || json.Unmarshal(res.Body(), &body) != nil {
			return false
		}
		in.put("/restaurants/" + body.RestaurantID + "/menu/" + body.ID)
		return true
	}
}

// pool is what requests have made and others use, in any order.
type pool[T any] struct {
	mu  sync.Mutex
	all []T
}

func (p *pool[T]) put(one T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, one)
}

// take gives one and removes it; of an empty pool, the zero value, which the
// server will refuse.
func (p *pool[T]) take() (one T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.all) - 1; last >= 0 {
		one, p.all = p.all[last], p.all[:last]
	}
	return one
}

// at gives the n-th, counted round, and keeps it.
func (p *pool[T]) at(n uint64) (one T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.all) == 0 {
		return one
	}
	return p.all[n%uint64(len(p.all))]
}

// count tells how many there are.
func (p *pool[T]) count(context.Context) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all), nil
}

func (p *pool[T]) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = nil
}
