package server

import (
	"context"
	"errors"
	"sync"
	"time"

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

// travel says that a customer has ordered in a region that is not their home.
type travel struct {
	customer  string
	elsewhere string
}

func newTravels() *travels { return &travels{noted: map[travel]struct{}{}} }

// known reports whether the home is known to have the note.
func (t *travels) known(v travel) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, known := t.noted[v]
	return known
}

// remember notes that the home has the note, after it was committed there.
func (t *travels) remember(v travel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.noted) >= maxTravels {
		clear(t.noted)
	}
	t.noted[v] = struct{}{}
}

// claim notes in the customer's home region that a key is in use for an order that will live elsewhere. It returns
// errKeyTaken when the key is in use at home. A home that is away does not cost the order, only this cross-check.
func (s *store) claim(ctx context.Context, d *draft, wait time.Duration) error {
	if !d.abroad() || d.key.name == "" {
		return nil
	}
	db, err := s.shards.ByRegion(d.customer)
	if err != nil {
		return err
	}
	err = keyTaken(d, db.InBatch(ctx, shard.Work{LockTimeout: min(wait, maxLockWait), Fill: func(b *pgx.Batch) error {
		queueClaim(b, d)
		return nil
	}}))
	if errors.Is(err, shard.ErrUnavailable) {
		return nil
	}
	return err
}

// travel is the journey of a customer whose order lives elsewhere.
func (d *draft) travel() travel { return travel{d.record.Order.CustomerID, d.record.Region} }

// announce tells a customer's home region, as soon as an order elsewhere is written, that their list must look there.
// The order carries a letter that says the same, so when this fails the letter is delivered later.
func (s *store) announce(ctx context.Context, d *draft) error {
	if !d.letter {
		return nil
	}
	from, err := s.shards.ByRegion(shard.Region(d.record.Region))
	if err != nil {
		return err
	}
	return s.deliverLetter(ctx, from, d.travel())
}

// queueTravel queues the note in the customer's home. It may exist already: a letter may be delivered twice.
func queueTravel(b *pgx.Batch, home shard.Region, v travel) {
	b.Queue(`insert into orders.travels (region, customer_id, elsewhere) values ($1, $2, $3) on conflict do nothing`,
		home, v.customer, v.elsewhere)
}

// queueLetter queues the note for the customer's home, in the order's own transaction.
func queueLetter(b *pgx.Batch, v travel) {
	b.Queue(`insert into orders.letters (region, customer_id) values ($1, $2) on conflict do nothing`, v.elsewhere, v.customer)
}

// deliverLetters delivers what is left of a region's letters: of homes that were away, and of processes that died.
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

// deliverLetter writes the note and then removes the letter, so that dying between the two repeats it, which changes
// nothing.
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
	s.travels.remember(v)
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
