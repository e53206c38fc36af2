package eventplane

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
	"tiffin/shard/outbox"
)

const (
	// writers per shard, and how long each rests between two transactions: some
	// 150 events a second in all, which leaves the machine room for faults.
	writers = 2
	rest    = 40 * time.Millisecond
	// openOrders is how many orders a writer has in hand: their events mix.
	openOrders = 5
	// maxEvents ends an order.
	maxEvents = 4
)

// ledger holds the events for which a commit was answered.
type ledger struct {
	mu  sync.Mutex
	ids []string
}

func (l *ledger) add(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids = append(l.ids, id)
}

// takeOrders lets orders flow on all shards until ctx ends.
func (p *plant) takeOrders(ctx context.Context, seed uint64, l *ledger) {
	var running sync.WaitGroup
	for i, db := range p.shards.All() {
		region := shard.Region(shardRegions[db.ID()][0])
		for w := range writers {
			w := &writer{db: db, region: region, ids: p.shards.Router(), random: rand.New(rand.NewPCG(seed, uint64(100+10*i+w))), ledger: l}
			running.Go(func() { w.run(ctx) })
		}
	}
	running.Wait()
}

// writer takes orders and moves them on.
type writer struct {
	db     *shard.DB
	region shard.Region
	ids    *shard.Router
	random *rand.Rand
	ledger *ledger
	open   []string
}

func (w *writer) run(ctx context.Context) {
	tick := time.NewTicker(rest)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if len(w.open) < openOrders {
			w.open = append(w.open, w.ids.NewID(w.region))
		}
		i := w.random.IntN(len(w.open))
		id, done, err := w.advance(w.open[i])
		if err == nil {
			w.ledger.add(id)
		}
		// After an error nobody knows whether the transaction committed. Its order
		// is left alone; the rows tell in the end.
		if done || err != nil {
			w.open = append(w.open[:i], w.open[i+1:]...)
		}
	}
}

// advance writes the next event of an order in a transaction that locks its row.
// It is never cut short: a campaign that ends must know what it has done.
func (w *writer) advance(order string) (id string, done bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	id = w.ids.NewID(w.region)
	return id, done, w.db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var n int
		err := tx.QueryRow(ctx, `insert into campaign_orders values ($1, 1)
			on conflict (id) do update set events = campaign_orders.events + 1 returning events`, order).Scan(&n)
		if err != nil {
			return err
		}
		done = n == maxEvents
		return outbox.Append(ctx, tx, event(id, order, n, w.region))
	})
}

// event is the n-th event of an order: created, and then one rider after the
// other.
func event(id, order string, n int, region shard.Region) outbox.Event {
	typ := "order.created"
	detail := `"totalAmount":45.90`
	if n > 1 {
		typ, detail = "order.assigned", fmt.Sprintf(`"deliveryPartnerId":"p-%d"`, n)
	}
	body := fmt.Sprintf(`{"eventType":%q,"orderId":%q,"customerId":"c-1","restaurantId":"r-1",%s,`+
		`"deliveryCity":"San Francisco","estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:39.000Z"}`, typ, order, detail)
	return outbox.Event{ID: id, Type: typ, Region: string(region), Key: order, Payload: json.RawMessage(body)}
}

// committed reads what was committed, from the rows.
func (p *plant) committed(ctx context.Context) (events []Event, err error) {
	for _, db := range p.shards.All() {
		rows, err := db.Pool().Query(ctx, `select id::text, key, payload::text from outbox.events order by seq`)
		if err != nil {
			return nil, err
		}
		of, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
		if err != nil {
			return nil, err
		}
		events = append(events, of...)
	}
	return events, nil
}
