package ordertx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/order"
	"tiffin/shard"
	"tiffin/shard/rotate"
	"tiffin/shard/sealed"
	"tiffin/wire"
)

// ErrNotFound says that there is no order of that id.
var ErrNotFound = errors.New("order not found")

// Record is an order with what the services need to know beyond what clients see.
type Record struct {
	Order      order.Order
	Region     string
	OwnerID    string // of the restaurant, when the order was placed
	Seq        int64
	Restaurant order.Place
	AcceptBy   time.Time // until when it may stay pending
	ReadAt     time.Time // by the database's clock, after the lock was held
}

// addressColumn binds sealed addresses to where they stand.
const addressColumn = "orders.orders.address"

// SealedColumn is what `tiffin keys rotate` has to do here.
func SealedColumn() rotate.Column { return rotate.Column{Table: "orders.orders", Name: "address"} }

// Open turns the drop-off's address, as it is stored, into plain text; before that no client may see the order. It fails
// with sealed.ErrKey.
func (r *Record) Open(keys *sealed.Keys) (err error) {
	r.Order.DeliveryAddress, err = keys.Open(r.Order.DeliveryAddress, addressColumn, r.Order.ID)
	return err
}

// Columns are the columns Scan reads, of a table or alias named o.
const Columns = `o.id::text, o.region, o.customer_id::text, o.restaurant_id, o.owner_id, o.partner_id::text, o.status, o.seq,
	o.city, o.total, o.eta_minutes, o.items, o.address, o.latitude, o.longitude, o.restaurant,
	o.accept_by, o.created_at, o.updated_at, clock_timestamp()`

const readSQL = `select ` + Columns + ` from orders.orders o where o.id = $1`

// Scan reads one row of Columns.
func Scan(row pgx.CollectableRow) (*Record, error) {
	var (
		r                 Record
		items, restaurant []byte
		created, updated  time.Time
	)
	o := &r.Order
	err := row.Scan(&o.ID, &r.Region, &o.CustomerID, &o.RestaurantID, &r.OwnerID, &o.DeliveryPartnerID, &o.Status, &r.Seq,
		&o.City, &o.TotalAmount, &o.EstimatedDeliveryTime, &items, &o.DeliveryAddress, &o.Latitude, &o.Longitude, &restaurant,
		&r.AcceptBy, &created, &updated, &r.ReadAt)
	if err != nil {
		return nil, err
	}
	o.CreatedAt, o.UpdatedAt = wire.At(created), wire.At(updated)
	if err := wire.Decode(items, &o.Items); err != nil {
		return nil, fmt.Errorf("items of order %s: %w", o.ID, err)
	}
	if err := wire.Decode(restaurant, &r.Restaurant); err != nil {
		return nil, fmt.Errorf("restaurant of order %s: %w", o.ID, err)
	}
	return &r, nil
}

// Read returns one order without a lock: ErrNotFound when there is none.
func Read(ctx context.Context, q shard.Querier, id string) (*Record, error) {
	rows, err := q.Query(ctx, readSQL, id)
	if err != nil {
		return nil, err
	}
	return one(rows)
}

// QueueRead is Read as part of a batch.
func QueueRead(b *pgx.Batch, id string, into **Record) { queueOne(b, readSQL, id, into) }

// ReadAll returns the orders of the given ids by id, without locks. Those that do not exist are left out.
func ReadAll(ctx context.Context, q shard.Querier, ids []string) (map[string]*Record, error) {
	rows, err := q.Query(ctx, `select `+Columns+` from orders.orders o where o.id = any($1::text[]::uuid[])`, ids)
	if err != nil {
		return nil, err
	}
	return byID(rows)
}

// Lock locks the row of one order until the transaction ends: ErrNotFound when there is none.
func Lock(ctx context.Context, tx pgx.Tx, id string) (*Record, error) {
	var r *Record
	b := &pgx.Batch{}
	QueueLock(b, id, &r)
	err := tx.SendBatch(ctx, b).Close()
	return r, err
}

// QueueLock is Lock as part of a batch. What is queued after it sees everything that was committed before the lock was
// granted.
func QueueLock(b *pgx.Batch, id string, into **Record) {
	queueOne(b, readSQL+` for update`, id, into)
}

// queueOne queues a read of one order. An order that does not exist fails the batch with ErrNotFound.
func queueOne(b *pgx.Batch, sql, id string, into **Record) {
	b.Queue(sql, id).Query(func(rows pgx.Rows) (err error) {
		*into, err = one(rows)
		return err
	})
}

// QueueLockAll queues locking the rows of several orders, in the order of their ids, and reads them by id. Only a transaction that
// holds no lock on any rider may call it: a transaction that waits for an order while others wait for its riders could
// stand still for ever.
func QueueLockAll(b *pgx.Batch, ids []string, into *map[string]*Record) {
	b.Queue(`select `+Columns+` from orders.orders o where o.id = any($1::text[]::uuid[]) order by o.id for update`, ids).
		Query(func(rows pgx.Rows) (err error) {
			*into, err = byID(rows)
			return err
		})
}

// one reads the only row of a result.
func one(rows pgx.Rows) (*Record, error) {
	r, err := pgx.CollectExactlyOneRow(rows, Scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrNotFound
	}
	return r, err
}

// byID reads all rows of a result by id.
func byID(rows pgx.Rows) (map[string]*Record, error) {
	list, err := pgx.CollectRows(rows, Scan)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*Record, len(list))
	for _, r := range list {
		found[r.Order.ID] = r
	}
	return found, nil
}

// Parties are the people of the order, to be asked who may see it.
func (r *Record) Parties() order.Parties {
	return order.Parties{CustomerID: r.Order.CustomerID, OwnerID: r.OwnerID, PartnerID: r.Order.DeliveryPartnerID}
}
