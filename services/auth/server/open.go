package server

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/delivery/deliverytx"
	"tiffin/shard"
)

// openAccount registers a, whose id, hash and times it fills in. also runs in the account's transaction.
func (s *Server) openAccount(ctx context.Context, a account, password string,
	also func(context.Context, pgx.Tx, account, shard.Region) error,
) (account, error) {
	canonical, err := auth.CanonicalEmail(a.Email)
	if err != nil {
		return a, err
	}
	route := s.cfg.Shards.Router().RouteCity(a.City)
	a = trimmed(a)
	a.CreatedAt = s.cfg.Clock().UTC()
	a.UpdatedAt = a.CreatedAt
	prepare := func(ctx context.Context) (err error) {
		a.PasswordHash, err = s.hasher.hash(ctx, password)
		return err
	}
	insert := func(ctx context.Context, tx pgx.Tx, id string) error {
		a.ID = id
		if err := insertAccount(ctx, tx, s.cfg.Shards.Keys(), a, route.Region, canonical); err != nil {
			return err
		}
		if a.Role == auth.RoleRider {
			if err := deliverytx.CreatePartner(ctx, tx, newPartner(a, route)); err != nil {
				return err
			}
		}
		return also(ctx, tx, a, route.Region)
	}
	err = s.registrar.open(ctx, canonical, route.Region, prepare, insert)
	return a, err
}

// newPartner puts a rider in the centre of their city until the first position arrives; a city nobody knows has none.
func newPartner(a account, route shard.Route) delivery.NewPartner {
	p := delivery.NewPartner{ID: a.ID, City: a.City, Region: string(route.Region)}
	if route.City != nil {
		p.Latitude, p.Longitude = route.City.Latitude, route.City.Longitude
	}
	return p
}

// trimmed drops the spaces around what was typed.
func trimmed(a account) account {
	for _, field := range []*string{&a.Email, &a.FirstName, &a.LastName, &a.PhoneNumber, &a.City} {
		*field = strings.TrimSpace(*field)
	}
	return a
}
