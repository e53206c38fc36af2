package server

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"tiffin/services/restaurant"
	"tiffin/wire"
)

// quote says what dishes cost now. The restaurant is read from the store each time, by its id, where requests that come
// at once share a read that none of them came too late for; it names the revision
// that the menu must at least have, so the menu may come from the cache. A cached menu that missed an invalidation,
// which takes two faults at once, is found out here: money is the one thing that may not be wrong for an hour.
func (s *Server) quote(ctx context.Context, req restaurant.QuoteRequest) (restaurant.Quote, error) {
	id, err := parseID(req.RestaurantID, "restaurant")
	if err != nil {
		return restaurant.Quote{}, err
	}
	d, m, err := s.priced(ctx, id)
	if err != nil {
		return restaurant.Quote{}, absent(err, "restaurant")
	}
	quote := restaurant.Quote{Restaurant: d.restaurant(), Items: make([]restaurant.QuotedItem, len(req.Items))}
	var unknown wire.Invalid
	for i, line := range req.Items {
		item, served := m.items[line.MenuItemID]
		if !served {
			unknown = append(unknown, wire.FieldError{
				Field: fmt.Sprintf("items[%d].menuItemId", i), Message: "is not on the restaurant's menu",
			})
		}
		quote.Items[i] = restaurant.QuotedItem{
			MenuItemID: item.ID, Name: item.Name, Quantity: line.Quantity, UnitPrice: item.Price, Available: item.IsAvailable,
		}
	}
	if unknown != nil {
		return restaurant.Quote{}, unknown
	}
	return quote, nil
}

// priced returns a restaurant as it is now and its menu, which includes every acknowledged change.
func (s *Server) priced(ctx context.Context, id bson.ObjectID) (d document, m *menu, err error) {
	group, reading := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		d, err = s.prices.Do(reading, id.Hex(), func(ctx context.Context) (document, error) { return s.store.find(ctx, id) })
		return err
	})
	group.Go(func() (err error) { m, err = s.cachedMenu(reading, id); return err })
	if err := group.Wait(); err != nil {
		return d, nil, err
	}
	if m.rev < d.MenuRev {
		s.log.WarnContext(ctx, "cached menu is older than an acknowledged change", "restaurant", id.Hex(), "cached", m.rev, "acknowledged", d.MenuRev)
		m, err = s.readMenu(ctx, id)
	}
	return d, m, err
}
