package server

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
)

// town is everybody who takes part: what a random step needs to choose from.
type town struct {
	*fixture
	t      testing.TB
	mu     sync.Mutex
	riders []string
	orders []string
}

// tolerate fails for everything but the refusals a wrong moment earns, among them a lock that a crowd holds for too long
// on a slow machine.
func (w *town) tolerate(err error) {
	switch micro.CodeOf(err) {
	case "", micro.CodeConflict, micro.CodeNotFound, micro.CodeUnavailable:
	default:
		w.t.Errorf("unexpected: %v", err)
	}
}

// any picks one of a list, "" of an empty one.
func (w *town) any(list *[]string, pick func(n int) int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(*list) == 0 {
		return ""
	}
	return (*list)[pick(len(*list))]
}

func (w *town) add(list *[]string, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*list = append(*list, id)
}

// steps are all that can happen, by name. pick chooses; with one source of choices a run can be repeated.
func (w *town) steps() map[string]func(pick func(n int) int) {
	ctx := w.t.Context()
	rider := func(pick func(int) int) string { return w.any(&w.riders, pick) }
	anOrder := func(pick func(int) int) string { return w.any(&w.orders, pick) }
	silently := func(sql string, id string) {
		if id == "" {
			return
		}
		_, err := w.Shards.ByShard("a").Pool().Exec(ctx, sql, id)
		w.tolerate(err)
	}
	move := func(to order.Status) func(func(int) int) {
		return func(pick func(int) int) {
			_, err := w.fixture.orders.Status(ordertest.Admin(ctx), order.StatusRequest{ID: anOrder(pick), Status: to})
			w.tolerate(err)
		}
	}
	answer := func(give func(context.Context, delivery.OfferRequest) (delivery.Assignment, error)) func(func(int) int) {
		return func(pick func(int) int) {
			who, what := rider(pick), anOrder(pick)
			if pick(3) > 0 {
				what = who // by their own id, which is right whenever there is an offer
			}
			if who == "" {
				return
			}
			_, err := give(ordertest.Rider(ctx, who), delivery.OfferRequest{ID: what})
			w.tolerate(err)
		}
	}
	available := func(yes bool) func(func(int) int) {
		return func(pick func(int) int) {
			if who := rider(pick); who != "" {
				_, err := w.availability(ordertest.Rider(ctx, who), delivery.AvailabilityRequest{ID: who, IsAvailable: &yes})
				w.tolerate(err)
			}
		}
	}
	return map[string]func(func(int) int){
		"create": func(func(int) int) {
			created, err := w.fixture.orders.Create(ordertest.Customer(ctx, w.NewUser(ordertest.City)), ordertest.Request())
			w.tolerate(err)
			w.add(&w.orders, created.ID)
		},
		"join":    func(pick func(int) int) { w.add(&w.riders, w.free(w.t, float64(pick(18)))) },
		"cancel":  move(order.Cancelled),
		"confirm": move(order.Confirmed),
		"prepare": move(order.Preparing),
		"ready":   move(order.Ready),
		"pick up": move(order.PickedUp),
		"deliver": move(order.Delivered),
		"fail":    move(order.Failed),
		"accept":  answer(w.accept),
		"decline": answer(w.decline),
		"start":   available(true),
		"stop":    available(false),
		"move": func(pick func(int) int) {
			_, err := w.position(ordertest.As(ctx, micro.RoleService, ""), positionOf(rider(pick), float64(pick(18))))
			w.tolerate(err)
		},
		"hush": func(pick func(int) int) {
			silently(`update delivery.partners set seen_at = now() - interval '1 hour' where id = $1`, rider(pick))
		},
		"lapse": func(pick func(int) int) {
			silently(`update delivery.offers set expires_at = now() where order_id = $1 and status = 'offered'`, anOrder(pick))
		},
		"expire": func(pick func(int) int) {
			silently(`update orders.orders set accept_by = now() where id = $1`, anOrder(pick))
		},
		"dispatch": func(func(int) int) { _, err := w.offerWaiting(ctx, home); w.tolerate(err) },
		"look":     func(func(int) int) { w.tolerate(w.endOverdue(ctx, home)) },
		"listen":   func(func(int) int) { w.tolerate(w.store.silence(ctx, home)) },
	}
}

// idle counts orders that wait although somebody is free who could be asked.
func (w *town) idle() (n int, err error) {
	err = w.Shards.ByShard("a").Pool().QueryRow(context.Background(), `select count(*)
		from delivery.jobs j join delivery.partners p on p.available and not p.silent and p.order_id is null
			and p.seen_at > now() - interval '5 minutes' and p.place <-> j.place <= $1
		where not j.offered and not exists (select from delivery.offers o
			where o.order_id = j.order_id and o.partner_id = p.id and o.status = 'declined')`, w.store.reach).Scan(&n)
	return n, err
}

// One thing after the other, in any order: every promise holds after every step.
func TestAnyInterleavingKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	rapid.Check(t, func(rt *rapid.T) {
		f.wipe(t)
		w := &town{fixture: f, t: t}
		actions := map[string]func(*rapid.T){"": func(rt *rapid.T) { requireSound(rt, f) }}
		for name, step := range w.steps() {
			actions[name] = func(rt *rapid.T) {
				step(func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "pick") })
			}
		}
		rt.Repeat(actions)
		// The order service ends overdue orders at moments of its own, and so frees riders. From here on nobody else moves.
		_, err := w.Shards.ByShard("a").Pool().Exec(t.Context(), `update orders.orders set accept_by = now() + interval '1 hour' where status = 'pending'`)
		require.NoError(rt, err)
		require.NoError(rt, w.endOverdue(t.Context(), home))
		_, err = w.offerWaiting(t.Context(), home)
		require.NoError(rt, err)
		idle, err := w.idle()
		require.NoError(rt, err)
		require.Zero(rt, idle)
	})
}

// Everything at once, on two instances: every promise holds at every moment, and in the end nobody waits in vain.
func TestEverybodyAtOnceKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed, func(c *Config) { c.OfferTTL = 200 * time.Millisecond })
	ordertest.Run(t, f.Server)
	ordertest.Run(t, newServer(t, bed))
	w := &town{fixture: f, t: t}
	steps := w.steps()
	var names []string
	for name := range steps {
		names = append(names, name)
	}
	for range 12 {
		steps["join"](rand.IntN)
		steps["create"](rand.IntN)
	}
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			for range 120 {
				steps[names[rand.IntN(len(names))]](rand.IntN)
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			requireSound(t, f)
		}
	}
	require.Eventually(t, func() bool {
		idle, err := w.idle()
		return err == nil && idle == 0
	}, soon, often)
	requireSound(t, f)
}
