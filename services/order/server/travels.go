package server

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

// maxTravels bounds the memory of what is known to be noted. Forgetting costs one statement that changes nothing.
const maxTravels = 50_000

// travels remembers which notes exist, so that only a customer's first order in a region makes one.
type travels struct {
	mu    sync.Mutex
	noted map[travel]struct{}
}

type travel struct {
	customer  string
	elsewhere string
}

func newTravels() *travels { return &travels{noted: map[travel]struct{}{}} }

func (t *travels) known(v travel) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, known := t.noted[v]
	return known
}

func (t *travels) remember(v travel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.noted) >= maxTravels {
		clear(t.noted)
	}
	t.noted[v] = struct{}{}
}

// announce tells a customer's home region about an order that will live in another one: that their list must look there,
// and which key is in use. It happens before the order exists, so that no order is ever missing from the list; a note
// without an order does no harm. It returns errKeyTaken when the key is in use at home.
//
// A home shard that is away does not cost the order: the note is then written with the order and delivered later.
func (s *store) announce(ctx context.Context, d *draft) error {
	v := travel{d.record.Order.CustomerID, d.record.Region}
	if !d.abroad() || d.key.name == "" && s.travels.known(v) {
		return nil
	}
	db, err := s.shards.ByRegion(d.customer)
	if err != nil {
		return err
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		b := &pgx.Batch{}
		if d.key.name != "" {
			queueKey(b, string(d.customer), d, nil)
		}
		queueTravel(b, d.customer, v)
		return tx.SendBatch(ctx, b).Close()
	})
	switch {
	case err == nil:
		s.travels.remember(v)
	case errors.Is(err, shard.ErrUnavailable):
		d.unannounced, err = true, nil
	}
	return err
}

func queueTravel(b *pgx.Batch, home shard.Region, v travel) {
	b.Queue(`insert into orders.travels (region, customer_id, elsewhere) values ($1, $2, $3) on conflict do nothing`,
		home, v.customer, v.elsewhere)
}

// queueLetter queues the note for a home that is away, in the order's own transaction.
func queueLetter(b *pgx.Batch, d *draft) {
	b.Queue(`insert into orders.letters (region, customer_id) values ($1, $2) on conflict do nothing`,
		d.record.Region, d.record.Order.CustomerID)
}

// deliverLetters passes on the notes of a region whose customers' homes were away. A note is deleted after it was
// delivered, so that dying between the two repeats it, which changes nothing.
func (s *store) deliverLetters(ctx context.Context, region shard.Region) error {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return err
	}
	var customers []string
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, `select customer_id::text from orders.letters where region = $1 limit 100`, region)
		if err != nil {
			return err
		}
		customers, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	for _, customer := range customers {
		err = errors.Join(err, s.deliverLetter(ctx, db, travel{customer, string(region)}))
	}
	return err
}

func (s *store) deliverLetter(ctx context.Context, from *shard.DB, v travel) error {
	to, err := s.shards.ByID(v.customer)
	if err != nil {
		return err
	}
	err = to.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		b := &pgx.Batch{}
		queueTravel(b, to.Region(), v)
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return err
	}
	return from.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `delete from orders.letters where region = $1 and customer_id = $2`, v.elsewhere, v.customer)
		return err
	})
}

// regionsOf lists the regions in which a customer has orders: their home and wherever they have ordered since.
func (s *store) regionsOf(ctx context.Context, customer string) ([]shard.Region, error) {
	db, err := s.shards.ByID(customer)
	if err != nil {
		return nil, err
	}
	var regions []shard.Region
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, `select elsewhere from orders.travels where customer_id = $1`, customer)
		if err != nil {
			return err
		}
		regions, err = pgx.CollectRows(rows, pgx.RowTo[shard.Region])
		return err
	})
	return append(regions, db.Region()), err
}
