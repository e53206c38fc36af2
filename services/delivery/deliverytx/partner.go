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
	at := geo.Point{Latitude: p.Latitude, Longitude: p.Longitude}
	x, y, z := at.Unit()
	_, err := tx.Exec(ctx, `
		insert into delivery.partners (id, region, city, latitude, longitude, place)
		values ($1, $2, $3, $4, $5, cube(array[$6, $7, $8]::float8[]))
		on conflict (id) do nothing`,
		p.ID, p.Region, p.City, p.Latitude, p.Longitude, x, y, z)
	return err
}
