package sim

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"tiffin/services/delivery"
	"tiffin/services/geo"
	"tiffin/services/order"
	"tiffin/wire"
)

const (
	tick          = time.Second      // between two positions of a rider under way
	idleReport    = 30 * time.Second // between two of one who waits
	riderPoll     = 10 * time.Second // for offers, when no hint comes
	orderPoll     = 5 * time.Second  // of the order at the counter, when no push comes
	declineChance = 0.05
	goodbyeTime   = 3 * time.Second
)

// rider waits, is offered orders, and carries them.
type rider struct {
	sim     *simulation
	town    *town
	account *account
	name    string
	socket  *socket
	rng     *rand.Rand
	at      geo.Point
	kick    chan struct{}

	mu     sync.Mutex
	orders map[string]order.Status // of orders under way, as pushed
}

// newRider makes a rider, who is nowhere before their shift begins.
func newRider(s *simulation, t *town, acc *account, name string) *rider {
	r := &rider{
		sim: s, town: t, account: acc, name: name, rng: s.rng(), kick: make(chan struct{}, 1), orders: make(map[string]order.Status),
	}
	r.socket = newSocket(acc, r.hear)
	return r
}

// look asks the rider to look at the phone soon.
func (r *rider) look() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// hear notes the status of orders under way. The rider looks up from the street then.
func (r *rider) hear(event string, data json.RawMessage) {
	var update struct {
		OrderID string
		Status  order.Status
	}
	if event == "order-updated" && json.Unmarshal(data, &update) == nil {
		r.mu.Lock()
		r.orders[update.OrderID] = update.Status
		r.mu.Unlock()
		r.look()
	}
}

// status is what was pushed of an order, "" when nothing was yet.
func (r *rider) status(id string) order.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.orders[id]
}

// run works a shift until ctx ends, and then goes home, so that nobody waits for an answer to an offer.
func (r *rider) run(ctx context.Context) {
	defer r.goHome(context.WithoutCancel(ctx))
	if err := r.begin(ctx); err != nil {
		if ctx.Err() == nil {
			r.sim.board.trouble("riders could not begin their shift", err)
		}
		return
	}
	reported := time.Now()
	for ctx.Err() == nil {
		r.answer(ctx)
		if time.Since(reported) > idleReport {
			r.at = around(r.rng, r.at, 0, strollRadius*r.sim.cfg.Width)
			r.report(ctx)
			reported = time.Now()
		}
		select {
		case <-ctx.Done():
		case <-r.kick:
		case <-time.After(riderPoll):
		}
	}
}

// begin goes where the rider was last, or into town on the first evening, and asks for work.
func (r *rider) begin(ctx context.Context) error {
	var me delivery.Partner
	if err := r.account.get(ctx, "/delivery/me", &me); err != nil {
		return err
	}
	r.at = geo.Point{Latitude: me.Latitude, Longitude: me.Longitude}
	if far := distance(r.at, r.town.center); far > farAway || far < atTheDoor {
		r.at = around(r.rng, r.town.center, 0, downtown*r.sim.cfg.Width)
	}
	r.report(ctx)
	return r.available(ctx, true)
}

// available begins or ends the shift as the fleet sees it.
func (r *rider) available(ctx context.Context, yes bool) error {
	return r.account.patch(ctx, "/delivery/"+r.account.id()+"/availability", map[string]bool{"isAvailable": yes}, nil)
}

// goHome ends the shift. An order that is carried stays with the rider, who goes on with it the next evening.
func (r *rider) goHome(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, goodbyeTime)
	defer cancel()
	if err := r.available(ctx, false); err != nil {
		r.sim.board.trouble("riders could not end their shift", err)
	}
}

// report sends a waiting rider's position by REST: sockets are for orders under way.
func (r *rider) report(ctx context.Context) {
	seen, accuracy := fix(r.rng, r.at)
	err := r.account.patch(ctx, "/delivery/"+r.account.id()+"/location", map[string]float64{
		"latitude": seen.Latitude, "longitude": seen.Longitude, "accuracy": accuracy,
	}, nil)
	if err != nil && ctx.Err() == nil {
		r.sim.board.trouble("positions could not be reported", err)
	}
	r.sim.board.fix()
}

// answer looks for an assignment and does what it asks for, until there is none.
func (r *rider) answer(ctx context.Context) {
	for ctx.Err() == nil {
		var current delivery.AssignmentsResponse
		if err := r.account.get(ctx, "/delivery/assignments", &current); err != nil {
			if ctx.Err() == nil {
				r.sim.board.trouble("riders could not see their assignments", err)
			}
			return
		}
		if len(current.Assignments) == 0 || !r.work(ctx, current.Assignments[0]) {
			return
		}
	}
}

// work answers an offer or carries an order, and reports whether there may be more to do at once.
func (r *rider) work(ctx context.Context, a delivery.Assignment) bool {
	r.sim.board.resume(r.town.name, a.Order)
	switch a.Status {
	case delivery.Offered:
		verb, done := "accept", "accepted"
		if r.rng.Float64() < declineChance {
			verb, done = "decline", "declined"
		}
		err := r.account.post(ctx, "/delivery/"+a.OrderID+"/"+verb, nil, nil)
		if err == nil {
			r.sim.board.rode(a.OrderID, done, "by "+r.name)
		} else if status := statusOf(err); status != http.StatusConflict && status != http.StatusNotFound && ctx.Err() == nil {
			r.sim.board.trouble("offers could not be answered", err)
		}
		return true
	case delivery.Accepted, delivery.PickedUp:
		return r.carry(ctx, a)
	default:
		return false
	}
}

// carry takes an accepted order from its restaurant to its customer, from wherever it is now. It reports whether the
// rider is free again.
func (r *rider) carry(ctx context.Context, a delivery.Assignment) bool {
	r.socket.follow(a.OrderID)
	defer r.socket.forget(a.OrderID)
	counter := geo.Point{Latitude: a.Restaurant.Latitude, Longitude: a.Restaurant.Longitude}
	door := geo.Point{Latitude: a.Dropoff.Latitude, Longitude: a.Dropoff.Longitude}
	if a.Status == delivery.Accepted {
		if !r.ride(ctx, a.OrderID, counter) {
			return ctx.Err() == nil
		}
		r.sim.board.rode(a.OrderID, "waits", r.name+" is at "+a.Restaurant.Name)
		if !r.await(ctx, a.OrderID) || !r.move(ctx, a.OrderID, order.PickedUp) {
			return ctx.Err() == nil
		}
	}
	if r.ride(ctx, a.OrderID, door) {
		r.move(ctx, a.OrderID, order.Delivered)
	}
	return ctx.Err() == nil
}

// ride goes along the streets to a place, sending positions. It stops, and reports false, when the order ends.
func (r *rider) ride(ctx context.Context, orderID string, to geo.Point) bool {
	w := newWalker(r.rng, r.town.grid.route(r.rng, r.at, to), r.sim.cfg.Speed)
	clock := time.NewTicker(tick)
	defer clock.Stop()
	for {
		r.at = w.at
		r.send(orderID, w)
		if w.arrived() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-clock.C:
			w.walk(tick.Seconds())
		}
		if status := r.status(orderID); status != "" && status.Terminal() {
			return false
		}
	}
}

// send sends a position of somebody under way. One that cannot be sent is not sent later: the next one is better.
func (r *rider) send(orderID string, w *walker) {
	seen, accuracy := fix(r.rng, w.at)
	if r.socket.send("rider-location-update", map[string]any{
		"orderId": orderID, "deliveryPartnerId": r.account.id(), "latitude": seen.Latitude, "longitude": seen.Longitude,
		"timestamp": wire.At(time.Now()), "accuracy": accuracy, "heading": w.heading, "speed": w.pace(),
	}) {
		r.sim.board.fix()
	}
}

// await waits at the counter until the order is ready, and reports false when it never will be.
func (r *rider) await(ctx context.Context, orderID string) bool {
	for {
		status := r.status(orderID)
		if status == "" {
			var o order.Order
			if err := r.account.get(ctx, "/orders/"+orderID, &o); err == nil {
				status = o.Status
			}
		}
		if status == order.Ready || status.Terminal() && status.Known() {
			return status == order.Ready
		}
		select {
		case <-ctx.Done():
			return false
		case <-r.kick:
		case <-time.After(orderPoll):
			r.mu.Lock()
			delete(r.orders, orderID) // should a push have been lost with its socket, ask
			r.mu.Unlock()
		}
	}
}

// move sets an order's status and reports whether it has it now. A conflict means that the order ended meanwhile.
func (r *rider) move(ctx context.Context, orderID string, to order.Status) bool {
	err := r.account.patch(ctx, "/orders/"+orderID+"/status", statusChange{Status: to}, nil)
	if err == nil {
		r.sim.board.reached(orderID, to)
		return true
	}
	if status := statusOf(err); status != http.StatusConflict && status != http.StatusNotFound && ctx.Err() == nil {
		r.sim.board.trouble("riders could not go on with an order", err)
	}
	return false
}
