package ordertx

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/propagation"

	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/shard"
	"tiffin/shard/outbox"
	"tiffin/wire"
)

// The kinds of rows in an order's log. Only transitions are shown as history; assignments are changes of the rider.
const (
	KindTransition = "transition"
	KindAssignment = "assignment"
)

// ErrChanged says that an order is no longer what it was when its change was decided.
var ErrChanged = errors.New("order has changed meanwhile")

// By is who changes an order, and why.
type By struct{ ID, Role, Reason string }

// System is the order service itself, for what nobody asked for.
func System(reason string) By {
	return By{ID: order.ServiceName, Role: order.RoleSystem, Reason: reason}
}

// Moved is an order that was brought to another state, as it is written: whatever has to be computed for it is computed
// before it is written together with others.
type Moved struct {
	change change
	event  outbox.Event
}

// Move brings r to another state and gives the rows of that change. holder is the rider the order has afterwards, nil for
// none; the rules of who may move what are the caller's.
func Move(ctx context.Context, r *Record, to order.Status, holder *string, by By) (Moved, error) {
	from := r.Order.Status
	r.advance()
	r.Order.Status, r.Order.DeliveryPartnerID = to, holder
	event, err := r.statusEvent(ctx, from, by)
	return Moved{change{r, from, by}, event}, err
}

// QueueMoves queues the rows of different orders' moves. That one of the orders has changed since it was read fails
// the batch, see Changed.
func QueueMoves(b *pgx.Batch, moves ...Moved) error {
	moves = slices.SortedFunc(slices.Values(moves), func(x, y Moved) int { return cmp.Compare(x.change.r.Order.ID, y.change.r.Order.ID) })
	queueChanges(b, KindTransition, shard.Column(moves, func(m *Moved) change { return m.change })...)
	return outbox.Queue(b, shard.Column(moves, func(m *Moved) outbox.Event { return m.event })...)
}

// Offer is a locked order and the rider it is offered to.
type Offer struct {
	Record    *Record
	PartnerID string
}

// SetRiders queues that different orders are offered to riders, each with its order.assigned.
func SetRiders(ctx context.Context, b *pgx.Batch, offers ...Offer) error {
	changes, events := make([]change, len(offers)), make([]outbox.Event, len(offers))
	for i, o := range offers {
		r := o.Record
		r.advance()
		r.Order.DeliveryPartnerID = &o.PartnerID
		changes[i] = change{r, r.Order.Status, System("")}
		events[i] = r.event(ctx, order.EventAssigned, order.AssignedEvent{
			EventType:             order.EventAssigned,
			OrderID:               r.Order.ID,
			CustomerID:            r.Order.CustomerID,
			RestaurantID:          r.Order.RestaurantID,
			DeliveryPartnerID:     o.PartnerID,
			DeliveryCity:          r.Order.City,
			EstimatedDeliveryTime: r.Order.EstimatedDeliveryTime,
			Timestamp:             r.Order.UpdatedAt,
		})
	}
	queueChanges(b, KindAssignment, changes...)
	return outbox.Queue(b, events...)
}

// ClearRider queues that the offer of a locked order ended and nobody else is asked yet. The event is an order.status
// from the state to itself, so that whoever shows the order learns that it has no rider.
func ClearRider(ctx context.Context, b *pgx.Batch, r *Record, reason string) error {
	by := System(reason)
	r.advance()
	r.Order.DeliveryPartnerID = nil
	event, err := r.statusEvent(ctx, r.Order.Status, by)
	if err != nil {
		return err
	}
	queueChanges(b, KindAssignment, change{r, r.Order.Status, by})
	return outbox.Queue(b, event)
}

// advance gives the record its next seq and time. Time never runs backwards for one order, whatever the clock does.
func (r *Record) advance() {
	r.Seq++
	if at := wire.At(r.ReadAt); at.After(r.Order.UpdatedAt.Time) {
		r.Order.UpdatedAt = at
	}
}

// change is an order in its new state, the state it comes from, and who changed it.
type change struct {
	r    *Record
	from order.Status
	by   By
}

// changeSQL brings orders to their new states and writes the entries of their logs. The key of an entry is what makes two
// changes with the same seq impossible: an order that has changed since it was read is not updated, and then has an entry
// of that seq. The join has every order locked before its entry is written, as who locks an order first does.
// One statement for all of a transaction: each costs as much as several rows.
const changeSQL = `
	with new as (
		select * from unnest($1::text[]::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[]::uuid[], $7::timestamptz[],
			$8::text[], $9::text[], $10::text[])
		as n (id, seq, region, from_status, to_status, partner_id, at, actor_id, actor_role, reason)
	), moved as (
		update orders.orders o set status = new.to_status, partner_id = new.partner_id, seq = new.seq, updated_at = new.at
		from new where o.id = new.id and o.seq = new.seq - 1
		returning o.id
	)
	insert into orders.history (order_id, seq, region, kind, from_status, to_status, partner_id, actor_id, actor_role, reason, at)
	select id, seq, region, $11, from_status, to_status, partner_id, actor_id, actor_role, reason, at from new left join moved using (id)`

// logKey is the constraint that two changes of an order with the same seq violate.
const logKey = "history_pkey"

// Changed turns the error of a transaction whose order had changed meanwhile into ErrChanged, and leaves others alone.
func Changed(err error) error {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Code == pgerrcode.UniqueViolation && pg.ConstraintName == logKey {
		return ErrChanged
	}
	return err
}

// queueChanges writes the changed rows of different orders and the entries of their logs.
func queueChanges(b *pgx.Batch, kind string, changes ...change) {
	b.Queue(changeSQL,
		shard.Column(changes, func(c *change) string { return c.r.Order.ID }),
		shard.Column(changes, func(c *change) int64 { return c.r.Seq }),
		shard.Column(changes, func(c *change) string { return c.r.Region }),
		shard.Column(changes, func(c *change) string { return string(c.from) }),
		shard.Column(changes, func(c *change) string { return string(c.r.Order.Status) }),
		shard.Column(changes, func(c *change) *string { return c.r.Order.DeliveryPartnerID }),
		shard.Column(changes, func(c *change) time.Time { return c.r.Order.UpdatedAt.Time }),
		shard.Column(changes, func(c *change) string { return c.by.ID }),
		shard.Column(changes, func(c *change) string { return c.by.Role }),
		shard.Column(changes, func(c *change) string { return c.by.Reason }),
		kind)
}

// statusEvent makes the order.status of the change that was just made.
func (r *Record) statusEvent(ctx context.Context, from order.Status, by By) (outbox.Event, error) {
	payload, err := wire.Encode(order.StatusEvent{
		EventType:         order.EventStatus,
		OrderID:           r.Order.ID,
		CustomerID:        r.Order.CustomerID,
		RestaurantID:      r.Order.RestaurantID,
		DeliveryPartnerID: r.Order.DeliveryPartnerID,
		DeliveryCity:      r.Order.City,
		From:              from,
		To:                r.Order.Status,
		ActorID:           by.ID,
		ActorRole:         by.Role,
		Reason:            by.Reason,
		Seq:               r.Seq,
		Timestamp:         r.Order.UpdatedAt,
	})
	return r.event(ctx, order.EventStatus, json.RawMessage(payload)), err
}

// eventID gives the id of the event of one change. It follows from order, seq and type, so that one change can never
// become two events, whoever writes it twice. It begins with the order's own time: ids that are made together stand
// together in the outbox's index.
func eventID(orderID, kind string, seq int64) string {
	sum := sha256.Sum256([]byte(orderID + " " + kind + " " + strconv.FormatInt(seq, 10)))
	id := uuid.UUID(sum[:16])
	if parsed, err := uuid.Parse(orderID); err == nil {
		copy(id[:6], parsed[:6])
	}
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // RFC 9562 version 8: made our own way
	return id.String()
}

// event makes the event of the change that gave the order its present seq.
func (r *Record) event(ctx context.Context, kind string, payload any) outbox.Event {
	e := Event(ctx, r, kind, payload)
	e.Headers[order.HeaderSeq] = strconv.FormatInt(r.Seq, 10)
	return e
}

// Event makes an event about an order at its present seq, with the request's id and trace as headers.
func Event(ctx context.Context, r *Record, kind string, payload any) outbox.Event {
	headers := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, headers)
	if id := micro.RequestID(ctx); id != "" {
		headers[micro.HeaderRequestID] = id
	}
	return outbox.Event{
		ID:      eventID(r.Order.ID, kind, r.Seq),
		Type:    kind,
		Region:  r.Region,
		Key:     r.Order.ID,
		Payload: payload,
		Headers: headers,
	}
}
