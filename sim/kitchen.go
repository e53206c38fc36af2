package sim

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"tiffin/services/order"
)

const (
	kitchenPoll  = 8 * time.Second
	rejectChance = 0.03

	minGlance, maxGlance = 2 * time.Second, 6 * time.Second   // until somebody looks at the new order
	minPrep, maxPrep     = 1 * time.Second, 5 * time.Second   // until the pan is hot
	minCook, maxCook     = 15 * time.Second, 50 * time.Second // until it is packed
)

// kitchen is a town's owner, who sees their restaurants' orders through, one goroutine each.
type kitchen struct {
	sim   *simulation
	town  *town
	owner *account
	kick  chan struct{}

	mu      sync.Mutex
	cooking map[string]bool
	pots    sync.WaitGroup
}

// newKitchen makes a town's kitchen; it does nothing before run.
func newKitchen(s *simulation, t *town, owner *account) *kitchen {
	return &kitchen{sim: s, town: t, owner: owner, kick: make(chan struct{}, 1), cooking: make(map[string]bool)}
}

// look asks the kitchen to look for new orders soon.
func (k *kitchen) look() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

// run takes orders until ctx ends, those left from earlier evenings first.
func (k *kitchen) run(ctx context.Context) {
	defer k.pots.Wait()
	for _, status := range []order.Status{order.Confirmed, order.Preparing} {
		k.take(ctx, status)
	}
	for ctx.Err() == nil {
		k.take(ctx, order.Pending)
		select {
		case <-ctx.Done():
		case <-k.kick:
		case <-time.After(kitchenPoll):
		}
	}
}

// take begins to cook every order of a status that is not being cooked yet.
func (k *kitchen) take(ctx context.Context, status order.Status) {
	for _, p := range k.town.places {
		query := url.Values{"restaurantId": {p.ID}, "status": {string(status)}, "limit": {"100"}}
		var page order.ListResponse
		if err := k.owner.get(ctx, "/orders?"+query.Encode(), &page); err != nil {
			if ctx.Err() == nil {
				k.sim.board.trouble("kitchens could not see their orders", err)
			}
			return
		}
		for _, o := range page.Orders {
			k.sim.board.resume(k.town.name, o)
			if k.begin(o.ID) {
				k.pots.Go(func() { k.cook(ctx, o) })
			}
		}
	}
}

// begin reports whether nobody cooks the order yet, and notes that somebody does now.
func (k *kitchen) begin(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cooking[id] {
		return false
	}
	k.cooking[id] = true
	return true
}

// cook takes an order from where it is to the counter. It ends early when the order does.
func (k *kitchen) cook(ctx context.Context, o order.Order) {
	rng := k.sim.rng()
	if o.Status == order.Pending {
		if k.sim.rest(ctx, rng, minGlance, maxGlance) != nil {
			return
		}
		if rng.Float64() < rejectChance {
			k.move(ctx, o.ID, order.Rejected, "we are out of tortillas")
			return
		}
		if !k.move(ctx, o.ID, order.Confirmed, "") {
			return
		}
	}
	if o.Status != order.Preparing {
		if k.sim.rest(ctx, rng, minPrep, maxPrep) != nil || !k.move(ctx, o.ID, order.Preparing, "") {
			return
		}
	}
	if k.sim.rest(ctx, rng, minCook, maxCook) == nil {
		k.move(ctx, o.ID, order.Ready, "")
	}
}

// move sets an order's status and reports whether it has it now. That the order ended meanwhile is nobody's fault.
func (k *kitchen) move(ctx context.Context, id string, to order.Status, reason string) bool {
	err := k.owner.patch(ctx, "/orders/"+id+"/status", statusChange{Status: to, Reason: reason}, nil)
	if err == nil {
		k.sim.board.reached(id, to)
		return true
	}
	if statusOf(err) != http.StatusConflict && ctx.Err() == nil {
		k.sim.board.trouble("kitchens could not go on with an order", err)
	}
	return false
}

// statusChange is the body of PATCH /orders/:id/status.
type statusChange struct {
	Status order.Status `json:"status"`
	Reason string       `json:"reason,omitzero"`
}

// rest waits for a while between the two, shortened by the speed factor.
func (s *simulation) rest(ctx context.Context, rng *rand.Rand, least, most time.Duration) error {
	d := least + time.Duration(rng.Int64N(int64(most-least)+1))
	return wait(ctx, time.Duration(float64(d)/s.cfg.Speed))
}
