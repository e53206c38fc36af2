package deliverytx

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/services/geo"
)

// CreatePartner writes the record of a new rider, who begins unavailable, in the transaction that creates the account.
// A record that exists is left alone, so that a registration may be retried.
func CreatePartner(ctx context.Context, tx pgx.Tx, p delivery.NewPartner) error {
	_, err := tx.Exec(ctx, `
		insert into delivery.partners (id, region, city, latitude, longitude, place)
		values ($1, $2, $3, $4, $5, $6::text::public.cube)
		on conflict (id) do nothing`,
		p.ID, p.Region, p.City, p.Latitude, p.Longitude, Place(geo.Point{Latitude: p.Latitude, Longitude: p.Longitude}))
	return err
}
