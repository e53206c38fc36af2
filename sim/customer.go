package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/google/uuid"

	"tiffin/services/order"
)

const (
	cancelChance         = 0.03
	minRegret, maxRegret = time.Second, 4 * time.Second
	maxDishes            = 3
)

// customer is somebody who orders, and watches the order come.
type customer struct {
	sim     *simulation
	town    *town
	account *account
	socket  *socket
}

// newCustomer makes somebody with a socket of their own, which is how they watch.
func newCustomer(s *simulation, t *town, acc *account) *customer {
	c := &customer{sim: s, town: t, account: acc}
	c.socket = newSocket(acc, c.hear)
	return c
}

// hear is told what the fleet pushes.
func (c *customer) hear(event string, data json.RawMessage) {
	switch event {
	case "location-updated":
		c.sim.board.sight()
	case "order-updated":
		var update struct {
			OrderID           string
			Status            order.Status
			DeliveryPartnerID *string
		}
		if err := json.Unmarshal(data, &update); err != nil {
			c.sim.board.trouble("updates could not be read", err)
			return
		}
		if update.DeliveryPartnerID != nil {
			c.sim.offered(update.OrderID, *update.DeliveryPartnerID)
		}
		c.sim.board.reached(update.OrderID, update.Status)
		if update.Status.Terminal() {
			c.socket.forget(update.OrderID)
		}
	}
}

// order places an order and watches it. Some change their minds.
func (c *customer) order(ctx context.Context, rng *rand.Rand) {
	p := c.town.places[rng.IntN(len(c.town.places))]
	req := c.wish(rng, p)
	var placed order.Order
	err := c.account.do(ctx, call{
		method: http.MethodPost, path: "/orders", body: req,
		// A try whose answer was lost must not become a second dinner.
		header: map[string]string{headerKey: uuid.NewString()},
	}, &placed)
	if err != nil {
		if ctx.Err() == nil {
			c.sim.board.trouble("orders could not be placed", err)
		}
		return
	}
	c.sim.board.place(c.town.name, placed, p.Name)
	c.socket.follow(placed.ID)
	c.town.kitchen.look()
	if rng.Float64() < cancelChance && c.sim.rest(ctx, rng, minRegret, maxRegret) == nil {
		err := c.account.patch(ctx, "/orders/"+placed.ID+"/status", statusChange{order.Cancelled, "not hungry any more"}, nil)
		if err != nil && statusOf(err) != http.StatusConflict && ctx.Err() == nil {
			c.sim.board.trouble("orders could not be cancelled", err)
		}
	}
}

// wish is what somebody orders, and where they are.
func (c *customer) wish(rng *rand.Rand, p *place) order.CreateRequest {
	door := around(rng, p.at(), deliveryMin*c.sim.cfg.Width, delMax*c.sim.cfg.Width)
	req := order.CreateRequest{
		RestaurantID: p.ID, City: p.City, DeliveryAddress: fmt.Sprintf("%d %s Street", 1+rng.IntN(199), ordinal(1+rng.IntN(40))),
		Latitude: &door.Latitude, Longitude: &door.Longitude,
	}
	for _, i := range rng.Perm(len(p.menu))[:1+rng.IntN(min(maxDishes, len(p.menu)))] {
		req.Items = append(req.Items, order.Line{MenuItemID: p.menu[i].ID, Quantity: 1 + rng.IntN(2)})
	}
	return req
}

// ordinal is a number as streets have it: 1st, 22nd, 13th.
func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n, suffix)
}
