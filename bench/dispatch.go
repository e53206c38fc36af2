package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/valyala/fasthttp"

	"tiffin/bench/proc"
	"tiffin/bench/report"
	"tiffin/e2e/product"
	"tiffin/micro"
	"tiffin/services/order"
)

const (
	orderRate = 200 // a second
	// orderLife is how long a rider is busy with an offer: 500 are at any time.
	orderLife   = 2500 * time.Millisecond
	orderWarmup = 3 * time.Second // longer than a life: as many end as begin
	orderFor    = 10 * time.Second

	fewRiders, manyRiders = 1_000, 100_000
	oldOrders             = 1_000_000
)

// dispatchSuite measures how long an order waits for its offer, from the 201
// in the customer's hands to order.assigned in JetStream, in a city of a
// thousand riders without a past and in one of a hundred thousand with a
// million old orders. The two are on shards of one fleet and measured in turn.
func dispatchSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	fleet, router, err := startTowns(s, "dispatch", nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, fleet.Stop()) }()
	large, err := populate(ctx, fleet, router, newYork, manyRiders, oldOrders)
	if err != nil {
		return nil, err
	}
	small, err := populate(ctx, fleet, router, sanFrancisco, fewRiders, 0)
	if err != nil {
		return nil, err
	}
	o, err := openOrders(ctx, fleet)
	if err != nil {
		return nil, err
	}
	defer o.close()
	var few, many, ratio latencies
	for round := range s.Rounds {
		for _, t := range []struct {
			town *town
			into *latencies
		}{{small, &few}, {large, &many}} {
			r, err := o.flow(ctx, t.town)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.town.city, err)
			}
			fmt.Printf("round %d  %7d riders  %7d old orders  201 → offer p50 %5.1f ms  p99 %5.1f ms   POST p50 %5.1f ms  %s\n",
				round+1, len(t.town.riders), t.town.past, r.OfferP50, r.OfferP99, r.PostP50, r.CPU)
			t.into.p50, t.into.p99 = append(t.into.p50, r.OfferP50), append(t.into.p99, r.OfferP99)
		}
		ratio.p50 = append(ratio.p50, many.p50[round]/few.p50[round])
		ratio.p99 = append(ratio.p99, many.p99[round]/few.p99[round])
	}
	const name = "order accepted → rider offered at 200 orders/s, "
	return []report.Figure{
		report.New(name+"p50", "", "ms", report.Goal{AtMost: 15}, few.p50, nil),
		report.New(name+"p99", "", "ms", report.Goal{AtMost: 60}, few.p99, nil),
		report.New("the same, 100× the riders, 1 M old orders, p50", "1 000 riders", "×", report.Goal{AtMost: 2}, ratio.p50, many.p50),
		report.New("the same, 100× the riders, 1 M old orders, p99", "1 000 riders", "×", report.Goal{AtMost: 2}, ratio.p99, many.p99),
	}, nil
}

// orders places orders and hears of their offers.
type orders struct {
	fleet  *product.Product
	client *fasthttp.HostClient
	js     jetstream.JetStream
	heard  jetstream.ConsumeContext

	mu      sync.Mutex
	offered map[string]time.Time // order id → its first order.assigned
}

// openOrders begins to listen.
func openOrders(ctx context.Context, fleet *product.Product) (*orders, error) {
	o := &orders{
		fleet: fleet, offered: map[string]time.Time{},
		client: &fasthttp.HostClient{Addr: strings.TrimPrefix(fleet.Edge, "http://"), MaxConns: 1024, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second},
	}
	conn, err := micro.Connect(micro.ConnConfig{URL: fleet.Env["NATS_URL"], Role: "ops", Password: fleet.Env["NATS_OPS_PASSWORD"]})
	if err != nil {
		return nil, err
	}
	if o.js, err = jetstream.New(conn); err != nil {
		return nil, err
	}
	consumer, err := o.js.OrderedConsumer(ctx, micro.StreamEvents, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"events." + order.EventAssigned + ".>"}, DeliverPolicy: jetstream.DeliverNewPolicy,
	})
	if err != nil {
		return nil, err
	}
	o.heard, err = consumer.Consume(o.hear)
	return o, err
}

func (o *orders) close() {
	o.heard.Stop()
	o.js.Conn().Close()
}

// hear notes when an order's first offer has come out of JetStream.
func (o *orders) hear(msg jetstream.Msg) {
	now := time.Now()
	var e order.AssignedEvent
	if json.Unmarshal(msg.Data(), &e) != nil {
		return // it will be missed by whoever waits for it
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.offered[e.OrderID]; !known {
		o.offered[e.OrderID] = now
	}
}

// flowed is what a while of orders at a steady rate has cost. Times are in
// milliseconds.
type flowed struct {
	PostP50, PostP99   float64 // from when the order was due to its 201
	OfferP50, OfferP99 float64 // from the 201 to the offer; an offer before it took none
	CPU                effort  // of an order
}

// life is what became of one order.
type life struct {
	id            string
	due, accepted time.Time
	err           error
}

// endSQL ends a region's offers in some states after their life, and frees their
// riders. What follows an offer in truth, from the acceptance to the hand-over, is
// not measured here, and to play it would be seven requests an order; but without
// an end a town runs out of riders within seconds.
const endSQL = `
	with ended as (
		update delivery.offers set status = 'delivered', ended_at = now()
		where status = any($3) and region = $1 and offered_at < now() - $2::interval returning order_id, partner_id
	), done as (
		delete from delivery.jobs j using ended e where j.order_id = e.order_id
	)
	update delivery.partners p set order_id = null, carrying = false from ended e where p.id = e.partner_id`

// endOffers ends offers until ctx ends.
func (o *orders) endOffers(ctx context.Context, t *town) error {
	conn, err := pgx.Connect(ctx, o.fleet.Env["POSTGRES_SHARD_"+t.shard+"_URL"])
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for rest(ctx, orderLife/5) == nil {
		if _, err := conn.Exec(ctx, endSQL, t.region, orderLife, []string{"offered"}); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// flow has customers of a town place orders, whatever the answers do, while
// offers come and go.
func (o *orders) flow(ctx context.Context, t *town) (r flowed, err error) {
	start, every := time.Now(), time.Second/orderRate
	lives := make([]life, int((orderWarmup+orderFor)/every))
	warm := int(orderWarmup / every)
	ending, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- o.endOffers(ending, t) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	var running sync.WaitGroup
	var before, after proc.Usage
	for i := range lives {
		due := start.Add(time.Duration(i) * every)
		time.Sleep(time.Until(due))
		if i == warm {
			if before, err = proc.FamilyCPU(o.fleet.Pid()); err != nil {
				break
			}
		}
		running.Go(func() { lives[i] = o.place(t, due) })
	}
	if err == nil {
		after, err = proc.FamilyCPU(o.fleet.Pid())
	}
	running.Wait()
	if err != nil {
		return r, err
	}
	measured := lives[warm:]
	r.CPU = perOperation(after.Since(before), len(measured))
	for _, l := range lives {
		err = errors.Join(err, l.err)
	}
	if err != nil {
		return r, err
	}
	return r, o.account(ctx, measured, &r)
}

// place places an order.
func (o *orders) place(t *town, due time.Time) (l life) {
	l.due = due
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	post(t.shop.orderBody, []string{t.shop.customer.Token})(0, req)
	if l.err = o.client.Do(req, res); l.err != nil {
		return l
	}
	l.accepted = time.Now()
	var created struct {
		ID string `json:"id"`
	}
	if l.err = json.Unmarshal(res.Body(), &created); l.err != nil || res.StatusCode() != fasthttp.StatusCreated {
		l.err = errors.Join(l.err, fmt.Errorf("POST /orders: %d %.200s", res.StatusCode(), res.Body()))
		return l
	}
	l.id = created.ID
	return l
}

// account waits until every order's offer was heard of and sums up.
func (o *orders) account(ctx context.Context, lives []life, r *flowed) error {
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	posts, offers := make([]time.Duration, len(lives)), make([]time.Duration, len(lives))
	err := await(wait, func() (bool, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		for i, l := range lives {
			at, there := o.offered[l.id]
			if !there {
				return false, nil
			}
			posts[i], offers[i] = l.accepted.Sub(l.due), max(0, at.Sub(l.accepted))
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("not every order was offered: %w", err)
	}
	slices.Sort(posts)
	slices.Sort(offers)
	at := func(sorted []time.Duration, percent int) float64 { return ms(sorted[len(sorted)*percent/100]) }
	r.PostP50, r.PostP99 = at(posts, 50), at(posts, 99)
	r.OfferP50, r.OfferP99 = at(offers, 50), at(offers, 99)
	return nil
}
