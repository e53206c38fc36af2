package server

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tiffin/micro"
	"tiffin/services/restaurant"
	"tiffin/wire"
)

// encoded is an answer that is JSON already, of the shape of T: cached answers are sent as they are.
type encoded[T any] []byte

// EncodedJSON is what the kit sends.
func (e encoded[T]) EncodedJSON() []byte { return e }

// JSONSchemaAlias is what the endpoint's metadata says of the answer.
func (encoded[T]) JSONSchemaAlias() any { var shape T; return shape }

// endpoints declares the service.
func (s *Server) endpoints() *micro.Service {
	service := micro.NewService(micro.ServiceConfig{
		Name: restaurant.ServiceName, Version: restaurant.ServiceVersion, Description: "Restaurants and their menus",
		Conn: s.cfg.Conn, Log: s.cfg.Log, Metrics: s.cfg.Metrics, Traces: s.cfg.Traces, Health: s.Health, Audit: s.cfg.Audit,
	})
	micro.Handle(service, restaurant.VerbList, "Find restaurants by city, text, cuisine and position", s.list)
	micro.Handle(service, restaurant.VerbGet, "Read one restaurant", s.get)
	micro.Handle(service, restaurant.VerbMenu, "Read a menu", s.menu)
	micro.Handle(service, restaurant.VerbQuote, "Say what dishes cost now", s.quote)
	micro.Handle(service, restaurant.VerbQuotes, "Say what the dishes of many orders cost now", s.quotes)
	micro.Handle(service, restaurant.VerbCreate, "Open a restaurant", s.create,
		micro.WithAudit(func(_ restaurant.CreateRequest, res restaurant.Restaurant) (target, detail string) { return res.ID, "" }))
	micro.Handle(service, restaurant.VerbUpdate, "Change a restaurant", s.update,
		micro.WithAudit(func(req restaurant.UpdateRequest, _ restaurant.Restaurant) (target, detail string) { return req.ID, "" }))
	micro.Handle(service, restaurant.VerbMenuAdd, "Add a dish", s.menuAdd,
		micro.WithAudit(func(req restaurant.MenuAddRequest, res restaurant.MenuItem) (target, detail string) {
			return req.RestaurantID, res.ID
		}))
	micro.Handle(service, restaurant.VerbMenuUpdate, "Change a dish", s.menuUpdate,
		micro.WithAudit(func(req restaurant.MenuUpdateRequest, _ restaurant.MenuItem) (target, detail string) {
			return req.RestaurantID, req.ItemID
		}))
	micro.Handle(service, restaurant.VerbMenuDelete, "Take a dish off the menu", s.menuDelete,
		micro.WithAudit(func(req restaurant.MenuDeleteRequest, _ restaurant.MenuDeleteResponse) (target, detail string) {
			return req.RestaurantID, req.ItemID
		}))
	return service
}

// head is a restaurant as the cache keeps it.
type head struct {
	restaurant restaurant.Restaurant
	data       []byte // encoded
}

// newHead encodes a restaurant once for all who read it.
func newHead(r restaurant.Restaurant) (*head, error) {
	data, err := wire.Encode(r)
	return &head{restaurant: r, data: data}, err
}

func encodeHead(h *head) ([]byte, error) { return h.data, nil }

func decodeHead(data []byte) (*head, error) {
	h := &head{data: data}
	return h, wire.Decode(data, &h.restaurant)
}

// get is public, inactive restaurants included: orders refer to them.
func (s *Server) get(ctx context.Context, req restaurant.GetRequest) (encoded[restaurant.Restaurant], error) {
	id, err := parseID(req.ID, "restaurant")
	if err != nil {
		return nil, err
	}
	h, err := s.cachedHead(ctx, id)
	if err != nil {
		return nil, absent(err, "restaurant")
	}
	return h.data, nil
}

// cachedHead is a restaurant as of the last change that the cache knows of.
func (s *Server) cachedHead(ctx context.Context, id bson.ObjectID) (*head, error) {
	return s.heads.Get(ctx, id.Hex(), func(ctx context.Context) (*head, error) {
		d, err := s.store.find(ctx, id)
		if err != nil {
			return nil, err
		}
		return newHead(d.restaurant())
	})
}

// menu is public, unavailable dishes included: clients show them as such.
func (s *Server) menu(ctx context.Context, req restaurant.MenuRequest) (encoded[restaurant.MenuResponse], error) {
	id, err := parseID(req.RestaurantID, "restaurant")
	if err != nil {
		return nil, err
	}
	m, err := s.cachedMenu(ctx, id)
	if err != nil {
		return nil, absent(err, "restaurant")
	}
	return m.data, nil
}

// parseID refuses what is no id as if it were the id of nothing. what names the thing.
func parseID(id, what string) (bson.ObjectID, error) {
	if !restaurant.ValidID(id) {
		return bson.NilObjectID, micro.NotFound(what)
	}
	return bson.ObjectIDFromHex(id)
}

// absent translates errNone.
func absent(err error, what string) error {
	if errors.Is(err, errNone) {
		return micro.NotFound(what)
	}
	return err
}
