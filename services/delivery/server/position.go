package server

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/geo"
	"tiffin/shard"
)

const (
	// stirKm is how far a rider moves before the move is written. Who is nearest does not depend on less, and a rider
	// at a red light sends as many fixes as one on the road.
	stirKm = 0.02
	// stillFor is after how long a rider who has not moved is written all the same, as a sign of life.
	stillFor = 20 * time.Second
)

// position takes in the newest fixes of riders. One statement a region writes them all.
func (s *Server) position(ctx context.Context, req delivery.PositionRequest) (delivery.PositionResponse, error) {
	if err := internalOnly(ctx); err != nil {
		return delivery.PositionResponse{}, err
	}
	byRegion := map[shard.Region][]delivery.Position{}
	for _, p := range req.Positions {
		if region, err := s.cfg.Shards.Router().RegionOf(p.PartnerID); err == nil {
			byRegion[region] = append(byRegion[region], p)
		}
	}
	var res delivery.PositionResponse
	var errs []error
	for region, list := range byRegion {
		known, freed, err := s.store.positions(ctx, region, list)
		errs = append(errs, err)
		res.Known += known
		if freed {
			s.wakes.wake(region)
		}
	}
	return res, errors.Join(errs...)
}

// internalOnly admits those who do not act for a user.
func internalOnly(ctx context.Context) error {
	switch micro.ActorFrom(ctx).Role {
	case micro.RoleService, micro.RoleOperator, auth.RoleAdmin:
		return nil
	default:
		return micro.Forbidden("this is for services")
	}
}

// positionsSQL moves riders. Rows that somebody else holds are passed over: their next fix is only seconds away, and a
// statement that locks many riders must not wait for one of them. It counts the riders that exist and tells whether any
// of the free ones moved or is back from silence.
const positionsSQL = `
	with fix as (
		select * from unnest($1::text[]::uuid[], $2::float8[], $3::float8[], $4::text[]) as f (id, latitude, longitude, place)
	), changed as (
		select p.id, f.latitude, f.longitude, f.place::public.cube as place
		from delivery.partners p join fix f on f.id = p.id
		where p.silent or p.seen_at < now() - $5::interval
			or p.place OPERATOR(public.<->) f.place::public.cube > $6
		order by p.id for update of p skip locked
	), moved as (
		update delivery.partners p
		set latitude = c.latitude, longitude = c.longitude, place = c.place, seen_at = now(), silent = false, updated_at = now()
		from changed c where p.id = c.id
		returning p.available and p.order_id is null as free
	)
	select (select count(*) from delivery.partners p join fix f on f.id = p.id), coalesce((select bool_or(free) from moved), false)`

// positions writes fixes of one region and tells how many riders exist, and whether somebody can be offered more now.
func (s *store) positions(ctx context.Context, region shard.Region, list []delivery.Position) (known int, freed bool, err error) {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return 0, false, err
	}
	newest := make(map[string]delivery.Position, len(list))
	for _, p := range list {
		if last, twice := newest[p.PartnerID]; !twice || p.At.After(last.At.Time) {
			newest[p.PartnerID] = p
		}
	}
	var ids, places []string
	var latitudes, longitudes []float64
	for id, p := range newest {
		ids, latitudes, longitudes = append(ids, id), append(latitudes, p.Latitude), append(longitudes, p.Longitude)
		places = append(places, deliverytx.Place(geo.Point{Latitude: p.Latitude, Longitude: p.Longitude}))
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, positionsSQL, ids, latitudes, longitudes, places, stillFor, geo.Chord(stirKm)).Scan(&known, &freed)
	})
	return known, freed, err
}
