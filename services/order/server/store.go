package server

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery/deliverytx"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
	"tiffin/shard/sealed"
)

// store is the service's PostgreSQL: with ordertx, the only place that knows the schema "orders".
type store struct {
	shards  *shard.Set
	orders  *shard.Group[*draft] // new ones, which are what comes most
	moves   *shard.Group[ordertx.Moved]
	reads   *shard.Gather[*ordertx.Record]
	travels *travels
}

func newStore(shards *shard.Set) *store {
	return &store{
		shards: shards, orders: shard.NewGroup(shards, queue), moves: shard.NewGroup(shards, queueMoves),
		reads: shard.NewGather(shards, readAll(shards.Keys())), travels: newTravels(),
	}
}

// readAll reads orders as clients may see them.
func readAll(keys *sealed.Keys) shard.ReadAll[*ordertx.Record] {
	return func(ctx context.Context, q shard.Querier, ids []string) (map[string]*ordertx.Record, error) {
		found, err := ordertx.ReadAll(ctx, q, ids)
		for _, r := range found {
			err = cmp.Or(err, r.Open(keys))
		}
		return found, err
	}
}

// home finds the database of an id: ErrNotFound for what is no id of this fleet, since no order can have it.
func (s *store) home(id string) (*shard.DB, error) {
	db, err := s.shards.ByID(id)
	if errors.Is(err, shard.ErrBadID) {
		return nil, ordertx.ErrNotFound
	}
	return db, err
}

// read returns one order, which others may be reading too: ordertx.ErrNotFound when there is none. A query ends by itself
// in time; a timer for each of its readers would cost as much as reading the row.
func (s *store) read(ctx context.Context, id string) (*ordertx.Record, error) {
	r, found, err := s.reads.Get(context.WithoutCancel(ctx), id)
	if errors.Is(err, shard.ErrBadID) || err == nil && !found {
		return nil, ordertx.ErrNotFound
	}
	return r, err
}

// change is what a decision about a locked order wants done.
type change struct {
	to order.Status
	by ordertx.By
}

// decide looks at a locked order and its rider and says what to do; nil leaves everything as it is. It may run more than
// once, when the transaction has to be tried again.
type decide func(r *ordertx.Record, h deliverytx.Holder) (*change, error)

// moveTogether changes the state of an order as decided, where riders do not matter: decide is told of nobody, and who
// carries the order goes on. Nothing is locked: the order is read with what others read, and written with what others
// write. ordertx.ErrChanged when it changes in between.
func (s *store) moveTogether(ctx context.Context, id string, decide decide) (*ordertx.Record, error) {
	read, err := s.read(ctx, id)
	if err != nil {
		return nil, err
	}
	r := *read // which others read too
	do, err := decide(&r, deliverytx.Holder{})
	if err != nil || do == nil {
		return &r, err
	}
	moved, err := ordertx.Move(ctx, &r, do.to, r.Order.DeliveryPartnerID, do.by)
	if err == nil {
		err = s.moves.Commit(ctx, shard.Region(r.Region), 0, moved)
	}
	return &r, ordertx.Changed(err)
}

// queueMoves writes the moves of several orders together.
func queueMoves(b *pgx.Batch, moves []ordertx.Moved) error { return ordertx.QueueMoves(b, moves...) }

// move changes the state of an order as decided, with all that follows for its rider, in one transaction of two round
// trips between begin and commit. It returns the order as it is then.
func (s *store) move(ctx context.Context, id string, decide decide) (r *ordertx.Record, err error) {
	db, err := s.home(id)
	if err != nil {
		return nil, err
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var h deliverytx.Holder
		look := &pgx.Batch{}
		ordertx.QueueLock(look, id, &r)
		deliverytx.QueueHolder(look, id, &h)
		if err := tx.SendBatch(ctx, look).Close(); err != nil {
			return err
		}
		do, err := decide(r, h)
		if err != nil || do == nil {
			return err
		}
		return apply(ctx, tx, r, h, do)
	})
	if err == nil {
		err = r.Open(s.shards.Keys())
	}
	return r, err
}

// apply writes a decided change.
func apply(ctx context.Context, tx pgx.Tx, r *ordertx.Record, h deliverytx.Holder, do *change) error {
	holder := r.Order.DeliveryPartnerID
	if do.to.Terminal() || do.to == order.PickedUp {
		holder = h.Carrier() // an open offer ends here, and with it the rider's name on the order
	}
	moved, err := ordertx.Move(ctx, r, do.to, holder, do.by)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	if err := ordertx.QueueMoves(b, moved); err != nil {
		return err
	}
	deliverytx.Progress(b, r.Order.ID, h, do.to)
	return tx.SendBatch(ctx, b).Close()
}
