package server

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
)

// errKeyTaken says that another request holds the idempotency key: it has committed, or it is about to.
var errKeyTaken = errors.New("idempotency key taken")

// errMismatch is a key that was used with another body. It has no fields: no field is wrong.
func errMismatch() error {
	mismatch := micro.E(micro.CodeInvalid, "this Idempotency-Key was used with another request")
	mismatch.Type = order.TypeKeyMismatch
	return mismatch
}

// abroad reports whether the order will live in another region than its customer.
func (d *draft) abroad() bool { return string(d.customer) != d.record.Region }

// byKey returns the order an earlier request of the same key placed, nil when there is none. A key that was used with
// another body is refused, also when that body led to another region: the customer's home region knows.
func (s *store) byKey(ctx context.Context, d *draft) (*ordertx.Record, error) {
	if d.key.name == "" {
		return nil, nil
	}
	regions := []shard.Region{shard.Region(d.record.Region)}
	if d.abroad() {
		regions = append(regions, d.customer)
	}
	for _, region := range regions {
		found, err := s.keyIn(ctx, region, d)
		if err != nil && region == d.customer && errors.Is(err, shard.ErrUnavailable) && d.abroad() {
			continue // a dead home shard costs this cross-check, not the order: see claim
		}
		if err != nil || found != nil {
			return found, err
		}
	}
	return nil, nil
}

// keyIn looks the key up in one region. A claim for an order elsewhere has no order and yields nil.
func (s *store) keyIn(ctx context.Context, region shard.Region, d *draft) (found *ordertx.Record, err error) {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return nil, err
	}
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		found = nil
		var fingerprint []byte
		var id *string
		err := q.QueryRow(ctx, `select fingerprint, order_id::text from orders.keys
			where customer_id = $1 and key = $2 and region = $3 and created_at > now() - $4::interval`,
			d.record.Order.CustomerID, d.key.name, region, order.KeyTTL).Scan(&fingerprint, &id)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return err
		case !bytes.Equal(fingerprint, d.key.fingerprint[:]):
			return errMismatch()
		case id == nil:
			return nil
		}
		if found, err = ordertx.Read(ctx, q, *id); err != nil {
			return err
		}
		return found.Open(s.shards.Keys())
	})
	return found, err
}

// insert writes the order with all that belongs to it. It returns errKeyTaken when another request holds its key.
//
// When COMMIT was not answered, the same rows are written again: the order's id is in both, so at most one of the two
// transactions can happen, and finding the first one's rows means that the order is placed.
func (s *store) insert(ctx context.Context, d *draft, acceptTTL, wait time.Duration) error {
	if err := s.claim(ctx, d, wait); err != nil {
		return err
	}
	d.letters = s.lettersOf(d)
	var err error
	if d.row, err = ordertx.Prepare(ctx, s.shards.Keys(), &d.record, d.cityKey, acceptTTL); err != nil {
		return err
	}
	write := func() error {
		return keyTaken(d, s.orders.Commit(ctx, shard.Region(d.record.Region), min(wait, maxLockWait), d))
	}
	err = write()
	if shard.CommitUnknown(err) {
		err = orUnknown(write())
	}
	return err
}

// keysPrimary is the constraint that a key in use violates.
const keysPrimary = "keys_pkey"

// keyTaken recognises the two ways in which a key in use refuses a request: it is there, or whoever is writing it took
// longer than the wait. Of all that a keyed request writes, only its key can be held.
func keyTaken(d *draft, err error) error {
	var failure *pgconn.PgError
	if d.key.name == "" || !errors.As(err, &failure) {
		return err
	}
	if failure.Code == pgerrcode.LockNotAvailable || failure.Code == pgerrcode.UniqueViolation && failure.ConstraintName == keysPrimary {
		return errKeyTaken
	}
	return err
}

// orUnknown judges the second attempt to write an order. A row that exists already can only be one of the first attempt:
// the order's id is in the key of each. The client's own key being taken is told as it is, and whoever looks it up finds
// the order.
func orUnknown(err error) error {
	switch {
	case errors.Is(err, errKeyTaken):
		return err
	case err == nil, refused(err, pgerrcode.UniqueViolation):
		return nil
	}
	return errors.Join(micro.E(micro.CodeTimeout, "it is unknown whether the order was placed"), err)
}

// maxLockWait is how long one statement waits for a key. It ends before the time a shard gives a whole transaction, so
// that waiting is never taken for a shard that does not answer.
const maxLockWait = time.Second

// queueKeys queues the rows of keys with their orders. It waits for a request in flight that holds one of them, and then
// violates keysPrimary, as it does at once when a key is there.
func queueKeys(b *pgx.Batch, drafts []*draft) {
	var regions, customers, names, orders []string
	var fingerprints [][]byte
	for _, d := range drafts {
		if d.key.name == "" {
			continue
		}
		regions, customers, names = append(regions, d.record.Region), append(customers, d.record.Order.CustomerID), append(names, d.key.name)
		fingerprints, orders = append(fingerprints, d.key.fingerprint[:]), append(orders, d.record.Order.ID)
	}
	if len(names) > 0 {
		b.Queue(`insert into orders.keys (region, customer_id, key, fingerprint, order_id)
			select * from unnest($1::text[], $2::text[]::uuid[], $3::text[], $4::bytea[], $5::text[]::uuid[])`,
			regions, customers, names, fingerprints, orders)
	}
}

// freeKey drops the key when its time is over, so that it can be used again.
func (s *store) freeKey(ctx context.Context, d *draft) error {
	db, err := s.shards.ByRegion(shard.Region(d.record.Region))
	if err != nil {
		return err
	}
	return db.InBatch(ctx, shard.Work{Fill: func(b *pgx.Batch) error {
		b.Queue(`delete from orders.keys where customer_id = $1 and key = $2 and region = $3 and created_at <= now() - $4::interval`,
			d.record.Order.CustomerID, d.key.name, d.record.Region, order.KeyTTL)
		return nil
	}})
}

// queueClaim queues the row of a key whose order lives elsewhere. Like queueKeys it waits for whoever is writing the key;
// a claim of the same body is no conflict, and a key whose time is over is taken over.
func queueClaim(b *pgx.Batch, d *draft) {
	b.Queue(`insert into orders.keys as k (region, customer_id, key, fingerprint) values ($1, $2, $3, $4)
		on conflict (customer_id, key, region) do update
			set fingerprint = excluded.fingerprint, order_id = null, created_at = now()
			where k.created_at <= now() - $5::interval or k.order_id is null and k.fingerprint = excluded.fingerprint`,
		d.customer, d.record.Order.CustomerID, d.key.name, d.key.fingerprint[:], order.KeyTTL).
		Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() == 0 {
				return errKeyTaken
			}
			return nil
		})
}

// refused reports whether the database refused a statement with this code.
func refused(err error, code string) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == code
}
