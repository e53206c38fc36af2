package server

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/shard"
	"tiffin/wire"
)

// errNoPartner says that there is no rider of that id.
var errNoPartner = errors.New("no such rider")

const partnerColumns = `id::text, city, latitude, longitude, available, case when carrying then order_id::text end,
	deliveries, rating, created_at, updated_at`

// scanPartner reads one row of partnerColumns.
func scanPartner(row pgx.CollectableRow) (p delivery.Partner, err error) {
	var created, updated time.Time
	err = row.Scan(&p.ID, &p.City, &p.Latitude, &p.Longitude, &p.IsAvailable, &p.CurrentOrderID,
		&p.TotalDeliveries, &p.Rating, &created, &updated)
	p.UserID, p.CreatedAt, p.UpdatedAt = p.ID, wire.At(created), wire.At(updated)
	return p, err
}

// onePartner reads the only row of a result: errNoPartner when it is empty.
func onePartner(rows pgx.Rows, err error) (delivery.Partner, error) {
	if err != nil {
		return delivery.Partner{}, err
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPartner)
	if errors.Is(err, pgx.ErrNoRows) {
		return delivery.Partner{}, errNoPartner
	}
	return p, err
}

// partner returns a rider's record: errNoPartner when there is none.
func (s *store) partner(ctx context.Context, id string) (p delivery.Partner, err error) {
	err = s.read(ctx, id, func(ctx context.Context, q shard.Querier) error {
		p, err = onePartner(q.Query(ctx, `select `+partnerColumns+` from delivery.partners where id = $1`, id))
		return err
	})
	return p, err
}

// setAvailable writes whether a rider wants to work. Who stops with an open offer gives it back, which takes the order's
// lock first; an offer that arrives or ends between the looks makes it look again.
func (s *store) setAvailable(ctx context.Context, id string, available bool) (delivery.Partner, error) {
	for {
		p, err := s.writeAvailable(ctx, id, available)
		if available || !errors.Is(err, errNoPartner) {
			return p, err
		}
		open, err := s.liveOffer(ctx, id)
		switch {
		case errors.Is(err, errNoOffer):
			if p, err = s.partner(ctx, id); err != nil || !p.IsAvailable {
				return p, err
			}
		case err != nil:
			return delivery.Partner{}, err
		case open.status == delivery.Offered:
			_, err = s.endOffer(ctx, open.order, id, delivery.Withdrawn)
			if err != nil && !errors.Is(err, errOfferGone) {
				return delivery.Partner{}, err
			}
		}
		if ctx.Err() != nil {
			return delivery.Partner{}, ctx.Err()
		}
	}
}

// writeAvailable changes the rider's row unless there is an open offer to be given back first: errNoPartner then, and
// when there is no such rider.
func (s *store) writeAvailable(ctx context.Context, id string, available bool) (p delivery.Partner, err error) {
	db, err := s.shards.ByID(id)
	if err != nil {
		return delivery.Partner{}, err
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		p, err = onePartner(tx.Query(ctx, `update delivery.partners
			set available = $2, silent = false, seen_at = now(), updated_at = case when available = $2 then updated_at else now() end
			where id = $1 and ($2 or order_id is null or carrying)
			returning `+partnerColumns, id, available))
		return err
	})
	return p, err
}

// silentSQL finds free riders of a region who have not been heard of.
const silentSQL = `select id from delivery.partners
	where available and not silent and order_id is null and seen_at <= now() - $2::interval and region = $1`

// silence takes riders of a region who have not been heard of out of those who can be asked. The condition is in every
// search as well; without this, a city's dead phones would have to be passed by each time.
func (s *store) silence(ctx context.Context, region shard.Region) error {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return err
	}
	var gone bool
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		return q.QueryRow(ctx, `select exists (`+silentSQL+`)`, region, s.silentTTL).Scan(&gone)
	})
	if err != nil || !gone {
		return err
	}
	return db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update delivery.partners set silent = true
			where id in (`+silentSQL+` limit 1000 for update skip locked)`, region, s.silentTTL)
		return err
	})
}
