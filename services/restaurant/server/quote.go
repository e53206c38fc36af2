package server

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/errgroup"

	"tiffin/services/restaurant"
	"tiffin/wire"
)

const (
	// wordCounts is how long the store's word for what is cached counts.
	wordCounts = time.Second
	// maxWords bounds the words remembered.
	maxWords = 4096
)

// quote says what dishes cost now. Restaurant and menu come from the cache, which shows every acknowledged change at
// once. A cached value that missed an invalidation, which takes two faults at once, would be wrong for an hour, and
// money may not be: so the store vouches for it, once a second for each restaurant that sells.
func (s *Server) quote(ctx context.Context, req restaurant.QuoteRequest) (restaurant.Quote, error) {
	id, err := parseID(req.RestaurantID, "restaurant")
	if err != nil {
		return restaurant.Quote{}, err
	}
	r, m, err := s.priced(ctx, id)
	if err != nil {
		return restaurant.Quote{}, absent(err, "restaurant")
	}
	return m.quote(r, req.Items)
}

// quotes says it to many. Those who ask about one restaurant share the look at it, and nobody's refusal is the others'.
func (s *Server) quotes(ctx context.Context, req restaurant.QuotesRequest) (restaurant.QuotesResponse, error) {
	asked := make(map[string][]int) // places of quotes by restaurant
	for i, one := range req.Quotes {
		if one.Validate() == nil {
			asked[one.RestaurantID] = append(asked[one.RestaurantID], i)
		}
	}
	res := restaurant.QuotesResponse{Quotes: make([]*restaurant.Quote, len(req.Quotes))}
	var all sync.WaitGroup
	for name, places := range asked {
		all.Go(func() {
			id, err := parseID(name, "restaurant")
			if err != nil {
				return
			}
			r, m, err := s.priced(ctx, id)
			if err != nil {
				return
			}
			for _, i := range places {
				if quote, err := m.quote(r, req.Quotes[i].Items); err == nil {
					res.Quotes[i] = &quote
				}
			}
		})
	}
	all.Wait()
	return res, nil
}

// quote reads what dishes cost off the menu of r: wire.Invalid for those that are not on it.
func (m *menu) quote(r restaurant.Restaurant, lines []restaurant.QuoteLine) (restaurant.Quote, error) {
	quote := restaurant.Quote{Restaurant: r, Items: make([]restaurant.QuotedItem, len(lines))}
	var unknown wire.Invalid
	for i, line := range lines {
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

// priced returns a restaurant and its menu, which include every change that was acknowledged, and for which the store
// vouched a second ago at most.
func (s *Server) priced(ctx context.Context, id bson.ObjectID) (restaurant.Restaurant, *menu, error) {
	asked := s.cfg.Clock()
	said := s.words.of(id)
	recent := asked.Sub(said.at) < wordCounts
	var (
		h *head
		m *menu
		d document
	)
	group, reading := errgroup.WithContext(ctx)
	group.Go(func() (err error) { h, err = s.cachedHead(reading, id); return err })
	group.Go(func() (err error) { m, err = s.cachedMenu(reading, id); return err })
	if !recent {
		group.Go(func() (err error) { d, err = s.stored(reading, id); return err })
	}
	if err := group.Wait(); err != nil {
		return restaurant.Restaurant{}, nil, err
	}
	if recent {
		if said.head == h && said.menu == m {
			return h.restaurant, m, nil
		}
		var err error
		if d, err = s.stored(ctx, id); err != nil {
			return restaurant.Restaurant{}, nil, err
		}
	}
	return s.compare(ctx, asked, d, h, m)
}

// stored reads a restaurant from the store. Requests that come at once share a read that none of them came too late for.
func (s *Server) stored(ctx context.Context, id bson.ObjectID) (document, error) {
	return s.prices.Do(ctx, id.Hex(), func(ctx context.Context) (document, error) { return s.store.find(ctx, id) })
}

// compare takes the store's side where it and the cache differ, and remembers when they do not. The restaurant names the
// revision that its menu must at least have.
func (s *Server) compare(ctx context.Context, asked time.Time, d document, h *head, m *menu) (restaurant.Restaurant, *menu, error) {
	r := d.restaurant()
	if m.rev < d.MenuRev {
		s.log.WarnContext(ctx, "cached menu is older than an acknowledged change", "restaurant", r.ID, "cached", m.rev, "acknowledged", d.MenuRev)
		m, err := s.readMenu(ctx, d.ID)
		return r, m, err
	}
	same, err := newHead(r)
	if err == nil && bytes.Equal(same.data, h.data) {
		s.words.keep(d.ID, word{head: h, menu: m, at: asked})
	}
	return r, m, err
}

// word is what the cache had of a restaurant when the store had the same. A value that is read into the cache anew is
// another one, and the word no longer about it.
type word struct {
	head *head
	menu *menu
	at   time.Time // before the store was asked
}

// words by restaurant. The zero value is ready.
type words struct {
	mu   sync.Mutex
	said map[bson.ObjectID]word
}

// of gives the last word about a restaurant.
func (w *words) of(id bson.ObjectID) word {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said[id]
}

// keep remembers a word. When full, any one makes room.
func (w *words) keep(id bson.ObjectID, said word) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said == nil {
		w.said = make(map[bson.ObjectID]word)
	}
	if len(w.said) >= maxWords {
		for other := range w.said {
			delete(w.said, other)
			break
		}
	}
	w.said[id] = said
}
