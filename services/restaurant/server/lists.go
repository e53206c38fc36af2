package server

import (
	"context"
	"iter"
	"math"
	"regexp"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/singleflight"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/restaurant"
	"tiffin/wire"
)

const (
	// maxPages bounds the answers kept of one city (or of the whole fleet), since clients choose the queries.
	maxPages = 256
	// maxScans bounds the walks over the whole fleet that run at once.
	maxScans = 4
	// everywhere is the cache's name for the queries without a city.
	everywhere = "all"
)

// listing is what the cache keeps of a city: its restaurants, and the answers made from them. Of the whole fleet it
// keeps answers alone: it may be large, and is read from the store for each new query. The cache vouches that nothing
// has changed since the listing was made, so its answers are as good as new.
type listing struct {
	rows []row

	flight singleflight.Group // safe to share: whoever holds this listing was told that it is current
	mu     sync.RWMutex
	pages  map[string][]byte
}

// page returns the encoded answer to a query, made by find the first time.
func (l *listing) page(q query, find func() (restaurant.ListResponse, error)) ([]byte, error) {
	key := q.key()
	l.mu.RLock()
	data, known := l.pages[key]
	l.mu.RUnlock()
	if known {
		return data, nil
	}
	made, err, _ := l.flight.Do(key, func() (any, error) {
		res, err := find()
		if err != nil {
			return nil, err
		}
		data, err := wire.Encode(res)
		if err == nil {
			l.keep(key, data)
		}
		return data, err
	})
	data, _ = made.([]byte) // nil with an error
	return data, err
}

// keep remembers an answer. When full, any one makes room.
func (l *listing) keep(key string, data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pages == nil {
		l.pages = make(map[string][]byte)
	}
	if len(l.pages) >= maxPages {
		for other := range l.pages {
			delete(l.pages, other)
			break
		}
	}
	l.pages[key] = data
}

// all gives the rows in the form of a walk.
func (l *listing) all() iter.Seq2[*row, error] {
	return func(yield func(*row, error) bool) {
		for i := range l.rows {
			if !yield(&l.rows[i], nil) {
				return
			}
		}
	}
}

// encodeListing keeps the restaurants and not the answers: a process that takes the listing over makes the answers that
// its own clients ask for.
func encodeListing(l *listing) ([]byte, error) {
	restaurants := make([]restaurant.Restaurant, len(l.rows))
	for i := range l.rows {
		restaurants[i] = l.rows[i].restaurant
	}
	return wire.Encode(restaurants)
}

// decodeListing folds all texts anew. That is cheaper than carrying them, and a new version may fold differently.
func decodeListing(data []byte) (*listing, error) {
	var restaurants []restaurant.Restaurant
	if err := wire.Decode(data, &restaurants); err != nil {
		return nil, err
	}
	l := &listing{rows: make([]row, 0, len(restaurants))}
	for _, r := range restaurants {
		row, err := newRow(r)
		if err != nil {
			return nil, err
		}
		l.rows = append(l.rows, row)
	}
	return l, nil
}

// list answers a list request. The usual one (a city, served before) costs one round trip to Redis and no encoding.
func (s *Server) list(ctx context.Context, req restaurant.ListRequest) (encoded[restaurant.ListResponse], error) {
	if err := mayListOf(ctx, req.OwnerUserID); err != nil {
		return nil, err
	}
	q, err := newQuery(req)
	if err != nil {
		return nil, err
	}
	if req.City == "" {
		return s.listEverywhere(ctx, q)
	}
	key := cityKey(s.cfg.Router.RouteCity(req.City), req.City)
	city, err := s.cities.Get(ctx, key, func(ctx context.Context) (*listing, error) { return s.readCity(ctx, key) })
	if err != nil {
		return nil, err
	}
	find := func() (restaurant.ListResponse, error) { return q.page(city.all()) }
	if q.near {
		// Positions hardly ever come twice; keeping their answers would push out those that do.
		res, err := find()
		if err != nil {
			return nil, err
		}
		return wire.Encode(res)
	}
	return city.page(q, find)
}

// mayListOf says whether the actor may ask what somebody owns. Each restaurant tells whose it is; a list of all that one
// person owns is theirs.
func mayListOf(ctx context.Context, owner string) error {
	actor := micro.ActorFrom(ctx)
	switch {
	case owner == "", actor.Role == auth.RoleOwner && actor.ID == owner:
		return nil
	case actor.Role == auth.RoleAdmin, actor.Role == micro.RoleOperator, actor.Role == micro.RoleService:
		return nil
	case actor.Role == micro.RoleAnonymous:
		return micro.E(micro.CodeUnauthenticated, "sign in to list what is yours")
	default:
		return micro.Forbidden("what somebody owns is for them and for administrators")
	}
}

// readCity is the one query behind every list of a city.
func (s *Server) readCity(ctx context.Context, key string) (*listing, error) {
	documents, err := s.store.inCity(ctx, key)
	if err != nil {
		return nil, err
	}
	l := &listing{rows: make([]row, 0, len(documents))}
	for i := range documents {
		l.rows = append(l.rows, documents[i].row())
	}
	return l, nil
}

// listEverywhere answers a query that names no city.
func (s *Server) listEverywhere(ctx context.Context, q query) ([]byte, error) {
	all, err := s.cities.Get(ctx, everywhere, func(context.Context) (*listing, error) { return &listing{}, nil })
	if err != nil {
		return nil, err
	}
	return all.page(q, func() (restaurant.ListResponse, error) {
		select {
		case s.scans <- struct{}{}:
			defer func() { <-s.scans }()
		case <-ctx.Done():
			return restaurant.ListResponse{}, ctx.Err()
		}
		// Others may be waiting for this answer, whoever began it and left.
		return q.page(s.scan(context.WithoutCancel(ctx), q))
	})
}

// scan walks what the store can tell to be of interest; the query itself decides.
func (s *Server) scan(ctx context.Context, q query) iter.Seq2[*row, error] {
	return func(yield func(*row, error) bool) {
		for d, err := range s.store.scan(ctx, q.filter()) {
			if err != nil {
				yield(nil, err)
				return
			}
			if row := d.row(); !yield(&row, nil) {
				return
			}
		}
	}
}

// filter is what of a query the store can compare. It lets through too much rather than too little.
func (q query) filter() bson.D {
	filter := bson.D{}
	if q.isActive != nil {
		filter = append(filter, bson.E{Key: "isActive", Value: *q.isActive})
	}
	if q.cuisine != "" {
		filter = append(filter, bson.E{Key: "cuisineKey", Value: q.cuisine})
	}
	if q.owner != "" {
		filter = append(filter, bson.E{Key: "ownerUserId", Value: q.owner})
	}
	if len(q.words) > 0 {
		longest := q.words[0]
		for _, word := range q.words {
			if len(word) > len(longest) {
				longest = word
			}
		}
		filter = append(filter, bson.E{Key: "search", Value: bson.D{{Key: "$regex", Value: regexp.QuoteMeta(longest)}}})
	}
	if q.near && !math.IsInf(q.radiusKm, 1) {
		degrees := q.radiusKm/110.5 + 0.01 // no degree of latitude is shorter
		filter = append(filter, bson.E{Key: "latitude", Value: bson.D{
			{Key: "$gte", Value: q.at.Latitude - degrees}, {Key: "$lte", Value: q.at.Latitude + degrees},
		}})
	}
	return filter
}

// row uses the derived fields as stored.
func (d *document) row() row {
	return row{restaurant: d.restaurant(), id: d.ID, nameKey: d.NameKey, cuisineKey: d.CuisineKey, search: d.Search}
}
