package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"

	"tiffin/bench/report"
	"tiffin/e2e/product"
	"tiffin/micro"
	"tiffin/shard"
	"tiffin/shard/outbox"
)

const (
	flowRate   = 500              // orders per second
	flowFor    = 10 * time.Second // per round
	flowWarmup = 2 * time.Second  // whose events do not count
)

// latencySuite measures how long an event takes through the fleet that `tiffin
// up` starts, at 500 orders a second, from PostgreSQL's answer to the commit into
// a consumer's hands.
func latencySuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	fleet, err := product.Start(product.Options{
		Binary: s.Binary, Home: filepath.Join(s.Dir, "latency"), Env: s.environment(nil),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, fleet.Stop()) }()
	b, err := openBypass(ctx, fleet)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	flow := latencies{}
	for range s.Rounds {
		if err := flow.add("500 orders/s", func() ([]time.Duration, error) { return b.flow(ctx) }); err != nil {
			return nil, err
		}
	}
	return []report.Figure{
		report.New("commit → consumer at 500 orders/s, p50", "", "ms", report.Goal{AtMost: 10}, flow.p50, nil),
		report.New("commit → consumer at 500 orders/s, p99", "", "ms", report.Goal{AtMost: 50}, flow.p99, nil),
	}, nil
}

// latencies are the quantiles of each round, in milliseconds.
type latencies struct{ p50, p99 []float64 }

func (l *latencies) add(name string, measure func() ([]time.Duration, error)) error {
	all, err := measure()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	slices.Sort(all)
	p50, p99 := ms(all[len(all)/2]), ms(all[len(all)*99/100])
	l.p50, l.p99 = append(l.p50, p50), append(l.p99, p99)
	fmt.Printf("%-14s %5d events  p50 %5.2f ms  p99 %5.2f ms\n", name, len(all), p50, p99)
	return nil
}

// bypass has what an outsider has not: the stream and the shards of a running
// fleet; and a consumer on RabbitMQ.
type bypass struct {
	js      jetstream.JetStream
	shards  *shard.Set
	broker  *amqp.Connection
	arrived *arrivals
}

func openBypass(ctx context.Context, fleet *product.Product) (b *bypass, err error) {
	b = &bypass{}
	conn, err := micro.Connect(micro.ConnConfig{URL: fleet.Env["NATS_URL"], Role: "ops", Password: fleet.Env["NATS_OPS_PASSWORD"]})
	if err != nil {
		return nil, err
	}
	if b.js, err = jetstream.New(conn); err != nil {
		return nil, err
	}
	config := shard.Config{Shards: []shard.ShardConfig{
		{ID: "a", URL: fleet.Env["POSTGRES_SHARD_A_URL"], Regions: []string{"us-west", "ca"}},
		{ID: "b", URL: fleet.Env["POSTGRES_SHARD_B_URL"], Regions: []string{"us-east", "us-central"}},
		{ID: "c", URL: fleet.Env["POSTGRES_SHARD_C_URL"], Regions: []string{"us-south", "mx"}},
	}}
	router, err := shard.NewRouter(config)
	if err != nil {
		return nil, err
	}
	if b.shards, err = shard.Open(ctx, router, config, shard.Options{}); err != nil {
		return nil, err
	}
	for _, db := range b.shards.All() {
		if _, err := db.Pool().Exec(ctx, `create table bench_orders (id text primary key, body json not null)`); err != nil {
			return nil, err
		}
	}
	if b.broker, err = amqp.Dial(fleet.Env["RABBITMQ_URL"]); err != nil {
		return nil, err
	}
	b.arrived, err = consume(b.broker)
	return b, err
}

func (b *bypass) close() error {
	b.js.Conn().Close()
	b.shards.Close()
	return b.broker.Close()
}

// flow commits orders at a steady rate, whatever the answers do, and gives the
// time from each commit's answer to the arrival of its event. An event that is
// there before the answer has been read took no time.
func (b *bypass) flow(ctx context.Context) (took []time.Duration, err error) {
	var mu sync.Mutex
	committed := map[string]time.Time{}
	var running sync.WaitGroup
	var failed error
	start := time.Now()
	for i := range int((flowFor + flowWarmup).Seconds() * flowRate) {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / flowRate)))
		running.Go(func() {
			id, err := b.order(ctx, i)
			now := time.Now()
			mu.Lock()
			defer mu.Unlock()
			if failed = errors.Join(failed, err); now.Sub(start) > flowWarmup {
				committed[id] = now
			}
		})
	}
	running.Wait()
	if failed != nil {
		return nil, failed
	}
	wait, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return took, await(wait, func() (bool, error) {
		took = took[:0]
		for id, at := range committed {
			arrived, there := b.arrived.at(id)
			if !there {
				return false, nil
			}
			took = append(took, max(0, arrived.Sub(at)))
		}
		return true, nil
	})
}

// order commits one order with its event on one of the shards.
func (b *bypass) order(ctx context.Context, i int) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	all := b.shards.All()
	db := all[i%len(all)]
	region := []shard.Region{"us-west", "us-east", "mx"}[i%len(all)]
	order := b.shards.Router().NewID(region)
	id = b.shards.Router().NewID(region)
	body := json.RawMessage(fmt.Sprintf(`{"eventType":"order.created","orderId":%q,"customerId":"c-1","restaurantId":"r-1",`+
		`"deliveryCity":"%-150s","totalAmount":45.99,"estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:39.000Z"}`, order, "San Francisco"))
	return id, db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `insert into bench_orders values ($1, $2)`, order, body); err != nil {
			return err
		}
		return outbox.Append(ctx, tx, outbox.Event{ID: id, Type: "order.created", Region: string(region), Key: order, Payload: body})
	})
}
