package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/order"
	"tiffin/shard"
)

// People's lists are gathered from their home region and from wherever else they have orders: customers where they have
// ordered, owners where their restaurants were ordered from. So a dead shard costs nobody a list who has nothing there.

// maxTravels bounds the memory of what is known to be noted. Forgetting costs one statement that changes nothing.
const maxTravels = 50_000

// travels remembers which notes exist, so that only somebody's first order in a region makes one.
type travels struct {
	mu    sync.Mutex
	noted map[travel]struct{}
}

// travel says that somebody has orders in a region that is not their home.
type travel struct {
	person    string
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

// lettersOf gives the journeys of an order's people that their homes are not known to know of.
func (s *store) lettersOf(d *draft) (letters []travel) {
	for _, person := range []string{d.record.Order.CustomerID, d.record.OwnerID} {
		home, err := s.shards.Router().RegionOf(person)
		v := travel{person, d.record.Region}
		if err == nil && string(home) != d.record.Region && !s.travels.known(v) {
			letters = append(letters, v)
		}
	}
	return letters
}

// announce tells the homes of an order's people, as soon as an order elsewhere is written, that their lists must look
// there. The order carries letters that say the same, so when this fails they are delivered later.
func (s *store) announce(ctx context.Context, d *draft) error {
	if len(d.letters) == 0 {
		return nil
	}
	from, err := s.shards.ByRegion(shard.Region(d.record.Region))
	for _, letter := range d.letters {
		if err == nil {
			err = s.deliverLetter(ctx, from, letter)
		}
	}
	return err
}

// queueTravel queues the note in somebody's home. It may exist already: a letter may be delivered twice.
func queueTravel(b *pgx.Batch, home shard.Region, v travel) {
	b.Queue(`insert into orders.travels (region, customer_id, elsewhere) values ($1, $2, $3) on conflict do nothing`,
		home, v.person, v.elsewhere)
}

// queueLetter queues the note for somebody's home, in the order's own transaction.
func queueLetter(b *pgx.Batch, v travel) {
	b.Queue(`insert into orders.letters (region, customer_id) values ($1, $2) on conflict do nothing`, v.elsewhere, v.person)
}

// deliverLetters delivers what is left of a region's letters: of homes that were away, and of processes that died.
func (s *store) deliverLetters(ctx context.Context, region shard.Region) error {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return err
	}
	var people []string
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, `select customer_id::text from orders.letters where region = $1 limit 100`, region)
		if err != nil {
			return err
		}
		people, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	for _, person := range people {
		err = errors.Join(err, s.deliverLetter(ctx, db, travel{person, string(region)}))
	}
	return err
}

// deliverLetter writes the note and then removes the letter, so that dying between the two repeats it, which changes
// nothing.
func (s *store) deliverLetter(ctx context.Context, from *shard.DB, v travel) error {
	to, err := s.shards.ByID(v.person)
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
		_, err := tx.Exec(ctx, `delete from orders.letters where region = $1 and customer_id = $2`, v.elsewhere, v.person)
		return err
	})
}

// atHome reads, in one round trip, a page of what a customer or an owner has in their home region, and the other regions
// in which they have orders, as noted there.
func (s *store) atHome(ctx context.Context, person string, f filter) (page []order.Order, elsewhere []shard.Region, err error) {
	db, err := s.shards.ByID(person)
	if err != nil {
		return nil, nil, err
	}
	sql, args := f.query([]shard.Region{db.Region()})
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		b := &pgx.Batch{}
		b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
			page, err = s.orderPage(rows, f)
			return err
		})
		b.Queue(`select elsewhere from orders.travels where customer_id = $1 and elsewhere <> $2`, person, db.Region()).
			Query(func(rows pgx.Rows) (err error) {
				elsewhere, err = pgx.CollectRows(rows, pgx.RowTo[shard.Region])
				return err
			})
		return q.SendBatch(ctx, b).Close()
	})
	return page, elsewhere, err
}
