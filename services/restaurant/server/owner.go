package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/restaurant"
)

// create opens a restaurant. Its cache keys are changed like those of an old one: its city was listed without it, and
// a list of nothing is cached like any other.
func (s *Server) create(ctx context.Context, req restaurant.CreateRequest) (restaurant.Restaurant, error) {
	actor, err := keeper(ctx)
	if err != nil {
		return restaurant.Restaurant{}, err
	}
	now := s.now()
	d := document{
		ID: bson.NewObjectID(), Name: strings.TrimSpace(req.Name), City: strings.TrimSpace(req.City),
		Address: strings.TrimSpace(req.Address), Latitude: *req.Latitude, Longitude: *req.Longitude,
		PhoneNumber: strings.TrimSpace(req.PhoneNumber), Email: req.Email, OwnerUserID: actor.ID,
		Cuisine: strings.TrimSpace(req.Cuisine), IsActive: true, CreatedAt: now, UpdatedAt: now, Rev: 1,
	}
	d.derive(s.cfg.Router)
	err = s.cache.Change(ctx, s.keys(d), func(ctx context.Context) error { return s.store.insert(ctx, d) })
	return d.restaurant(), err
}

// update changes a restaurant. The old city's list and the new one's both change, should it move; the old one is known
// for certain only under the lease.
func (s *Server) update(ctx context.Context, req restaurant.UpdateRequest) (restaurant.Restaurant, error) {
	id, err := parseID(req.ID, "restaurant")
	if err != nil {
		return restaurant.Restaurant{}, err
	}
	var changed document
	if _, err := s.owned(ctx, id); err != nil { // before anybody else has to wait
		return restaurant.Restaurant{}, err
	}
	err = s.store.exclusively(ctx, id, func(ctx context.Context) error {
		d, err := s.owned(ctx, id)
		if err != nil {
			return err
		}
		before, from := d, d.Rev
		d.apply(req.Changes, s.now())
		d.derive(s.cfg.Router)
		d.Rev++
		changed = d
		return s.cache.Change(ctx, append(s.keys(before), s.keys(d)...), func(ctx context.Context) error {
			return s.store.replace(ctx, d, from)
		})
	})
	return changed.restaurant(), err
}

// menuAdd adds a dish, which can be ordered from then on unless the request says otherwise.
func (s *Server) menuAdd(ctx context.Context, req restaurant.MenuAddRequest) (restaurant.MenuItem, error) {
	now := s.now()
	added := itemDocument{
		ID: bson.NewObjectID(), Name: strings.TrimSpace(req.Name), Description: strings.TrimSpace(req.Description),
		PriceCents: int64(*req.Price), Category: strings.TrimSpace(req.Category),
		IsAvailable: req.IsAvailable == nil || *req.IsAvailable, CreatedAt: now, UpdatedAt: now,
	}
	id, err := s.changeMenu(ctx, req.RestaurantID, func(m *menuDocument) error {
		if len(m.Items) >= restaurant.MaxMenuItems {
			return micro.Conflict("the menu has %d dishes, which is as many as it can have", len(m.Items))
		}
		m.Items = append(m.Items, added)
		return nil
	})
	return added.item(id), err
}

// menuUpdate changes a dish. What is on orders already keeps its old name and price: they were copied.
func (s *Server) menuUpdate(ctx context.Context, req restaurant.MenuUpdateRequest) (restaurant.MenuItem, error) {
	var changed itemDocument
	id, err := s.changeMenu(ctx, req.RestaurantID, func(m *menuDocument) error {
		i, err := m.find(req.ItemID)
		if err != nil {
			return err
		}
		m.Items[i].apply(req.ItemChanges, s.now())
		changed = m.Items[i]
		return nil
	})
	return changed.item(id), err
}

// menuDelete takes a dish off the menu. Nothing refers to it: orders keep copies.
func (s *Server) menuDelete(ctx context.Context, req restaurant.MenuDeleteRequest) (res restaurant.MenuDeleteResponse, err error) {
	_, err = s.changeMenu(ctx, req.RestaurantID, func(m *menuDocument) error {
		i, err := m.find(req.ItemID)
		if err != nil {
			return err
		}
		m.Items = slices.Delete(m.Items, i, i+1)
		return nil
	})
	return res, err
}

// find gives the place of a dish, or not_found. The document is at hand, so nothing is queried by the dish's id.
func (m *menuDocument) find(itemID string) (int, error) {
	i := slices.IndexFunc(m.Items, func(item itemDocument) bool { return item.ID.Hex() == itemID })
	if i < 0 {
		return i, micro.NotFound("menu item")
	}
	return i, nil
}

// changeMenu changes the menu of a restaurant of the actor's. The change is made on the document's latest revision, and
// acknowledged only when the restaurant names the new one, so that no quote can miss it.
func (s *Server) changeMenu(ctx context.Context, restaurantID string, change func(*menuDocument) error) (bson.ObjectID, error) {
	id, err := parseID(restaurantID, "restaurant")
	if err != nil {
		return id, err
	}
	if _, err := s.owned(ctx, id); err != nil {
		return id, err
	}
	return id, s.store.exclusively(ctx, id, func(ctx context.Context) error {
		m, err := s.store.findMenu(ctx, id)
		if err != nil && !errors.Is(err, errNone) {
			return err
		}
		from := m.Rev
		if err := change(&m); err != nil {
			return err
		}
		m.ID, m.Rev = id, from+1
		return s.cache.Change(ctx, []string{s.menus.Key(id.Hex())}, func(ctx context.Context) error {
			if err := s.store.replaceMenu(ctx, m, from); err != nil {
				return err
			}
			return s.store.announceMenu(ctx, id, m.Rev)
		})
	})
}

// keys are the cached values that a restaurant is part of.
func (s *Server) keys(d document) []string {
	return []string{s.heads.Key(d.ID.Hex()), s.cities.Key(d.CityKey), s.cities.Key(everywhere)}
}

// keeper returns the actor if they are of a role that may keep restaurants.
func keeper(ctx context.Context) (micro.Actor, error) {
	actor := micro.ActorFrom(ctx)
	switch actor.Role {
	case auth.RoleOwner, auth.RoleAdmin, micro.RoleOperator:
		return actor, nil
	case micro.RoleAnonymous:
		return actor, micro.E(micro.CodeUnauthenticated, "sign in first")
	default:
		return actor, micro.Forbidden("only restaurant owners may do this")
	}
}

// owned reads a restaurant that the actor may change: an owner their own, administrators all. Restaurants are public,
// so those of others are forbidden, not hidden.
func (s *Server) owned(ctx context.Context, id bson.ObjectID) (document, error) {
	actor, err := keeper(ctx)
	if err != nil {
		return document{}, err
	}
	d, err := s.store.find(ctx, id)
	if err != nil {
		return d, absent(err, "restaurant")
	}
	if actor.Role == auth.RoleOwner && d.OwnerUserID != actor.ID {
		return d, micro.Forbidden("this restaurant belongs to somebody else")
	}
	return d, nil
}

// now is what the store can keep: milliseconds.
func (s *Server) now() time.Time { return s.cfg.Clock().UTC().Truncate(time.Millisecond) }
