package wholefleet

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"tiffin/chaos/consumer"
	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/wire"
)

// queue is the consumer's, which is read back at the end.
func (p *plant) queue() consumer.Queue {
	return consumer.Queue{URL: p.servers[broker].URL, Name: "campaign"}
}

// declare makes the queue. RabbitMQ 3.10 forgets a quorum queue that was
// declared seconds before a kill: its registry is written out later, or at a
// proper stop.
func (p *plant) declare(ctx context.Context) error {
	if err := p.queue().Declare(); err != nil {
		return err
	}
	p.servers[broker].Stop()
	return p.servers[broker].Start(ctx)
}

// collect reads what shards, JetStream and RabbitMQ have.
func (p *plant) collect(ctx context.Context, e *Evidence) (err error) {
	for _, db := range p.shards.All() {
		for _, read := range []func(context.Context, *pgx.Conn) error{e.readOrders, e.readLog, e.readOffers, e.readEvents} {
			conn, err := db.Pool().Acquire(ctx)
			if err != nil {
				return fmt.Errorf("shard %s: %w", db.ID(), err)
			}
			err = read(ctx, conn.Conn())
			conn.Release()
			if err != nil {
				return fmt.Errorf("shard %s: %w", db.ID(), err)
			}
		}
	}
	if e.Stream, err = p.readStream(ctx); err != nil {
		return fmt.Errorf("JetStream: %w", err)
	}
	e.Queue, err = p.queue().ReadBack(ctx)
	return err
}

// readRows appends all rows of a query.
func readRows[T any](ctx context.Context, conn *pgx.Conn, to *[]T, sql string, scan func(pgx.CollectableRow) (T, error)) error {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, scan)
	*to = append(*to, all...)
	return err
}

func (e *Evidence) readOrders(ctx context.Context, conn *pgx.Conn) error {
	const sql = `select o.id::text, coalesce(k.key, ''), o.customer_id::text, o.total, o.status, o.seq
		from orders.orders o left join orders.keys k on k.order_id = o.id order by o.id`
	return readRows(ctx, conn, &e.Orders, sql, func(row pgx.CollectableRow) (o Order, err error) {
		var total int64
		err = row.Scan(&o.ID, &o.Key, &o.Customer, &total, &o.Status, &o.Seq)
		o.Total = wire.Money(total).String()
		return o, err
	})
}

func (e *Evidence) readLog(ctx context.Context, conn *pgx.Conn) error {
	const sql = `select order_id::text, seq, kind, coalesce(from_status, ''), to_status, coalesce(partner_id::text, ''), actor_role, at
		from orders.history order by order_id, seq`
	return readRows(ctx, conn, &e.Log, sql, pgx.RowToStructByPos[Change])
}

func (e *Evidence) readOffers(ctx context.Context, conn *pgx.Conn) error {
	const sql = `select order_id::text, partner_id::text, seq, status in ('offered', 'accepted', 'picked_up'), accepted_at is not null
		from delivery.offers order by order_id, seq`
	return readRows(ctx, conn, &e.Offers, sql, pgx.RowToStructByPos[Offer])
}

func (e *Evidence) readEvents(ctx context.Context, conn *pgx.Conn) error {
	const sql = `select id::text, key, type, coalesce((headers ->> '` + order.HeaderSeq + `')::bigint, 0), payload::text from outbox.events order by seq`
	return readRows(ctx, conn, &e.Events, sql, pgx.RowToStructByPos[Event])
}

// readStream reads the whole stream as the operator.
func (p *plant) readStream(ctx context.Context) (all []consumer.Message, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	js, err := jetstream.New(p.ops)
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, micro.StreamEvents)
	if err != nil {
		return nil, err
	}
	reader, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	if err != nil {
		return nil, err
	}
	messages, err := reader.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	for uint64(len(all)) < stream.CachedInfo().State.Msgs {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, err
		}
		all = append(all, consumer.Message{ID: m.Headers().Get(jetstream.MsgIDHeader), Body: string(m.Data())})
	}
	return all, nil
}
