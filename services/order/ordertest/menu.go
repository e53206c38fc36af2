package ordertest

import (
	"context"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/restaurant"
	"tiffin/shard"
	"tiffin/wire"
)

// Menu is the one menu of the tests' restaurants, which may be changed while orders are placed.
type Menu struct {
	Asked atomic.Int64 // how many quotes were asked for

	mu    sync.Mutex
	house restaurant.Restaurant
	items map[string]restaurant.QuotedItem
}

// newMenu is a menu with two dishes that can be ordered and one that cannot.
func newMenu(owner string) *Menu {
	return &Menu{
		house: restaurant.Restaurant{
			ID: RestaurantID, Name: "Golden Gate Curry", City: City, Address: "333 Post Street",
			Latitude: Latitude, Longitude: Longitude, OwnerUserID: owner, IsActive: true,
		},
		items: map[string]restaurant.QuotedItem{
			DishID: {MenuItemID: DishID, Name: "Thali", UnitPrice: Price, Available: true},
			SideID: {MenuItemID: SideID, Name: "Naan", UnitPrice: 399, Available: true},
			GoneID: {MenuItemID: GoneID, Name: "Dosa", UnitPrice: 899},
		},
	}
}

// Change changes the restaurant.
func (m *Menu) Change(change func(*restaurant.Restaurant)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.house)
}

// SetPrice changes what a dish costs.
func (m *Menu) SetPrice(id string, price wire.Money) {
	m.mu.Lock()
	defer m.mu.Unlock()
	item := m.items[id]
	item.UnitPrice = price
	m.items[id] = item
}

// Quote answers as the restaurant service does.
func (m *Menu) Quote(_ context.Context, req restaurant.QuoteRequest) (restaurant.Quote, error) {
	m.Asked.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	quote := restaurant.Quote{Restaurant: m.house}
	if city, known := cityOf(req.RestaurantID); known {
		quote.Restaurant.ID, quote.Restaurant.City = req.RestaurantID, city.Name
		quote.Restaurant.Latitude, quote.Restaurant.Longitude = city.Latitude, city.Longitude
	} else if req.RestaurantID != RestaurantID {
		return restaurant.Quote{}, micro.NotFound("restaurant")
	}
	for _, line := range req.Items {
		item, known := m.items[line.MenuItemID]
		if !known {
			return restaurant.Quote{}, wire.Invalid{{Field: "items", Message: "is not on the menu"}}
		}
		item.Quantity = line.Quantity
		quote.Items = append(quote.Items, item)
	}
	return quote, nil
}

// Quotes answers as the restaurant service does.
func (m *Menu) Quotes(ctx context.Context, req restaurant.QuotesRequest) (res restaurant.QuotesResponse, _ error) {
	for _, one := range req.Quotes {
		quote, err := m.Quote(ctx, one)
		if err != nil {
			res.Quotes = append(res.Quotes, nil)
			continue
		}
		res.Quotes = append(res.Quotes, &quote)
	}
	return res, nil
}

// RestaurantIn is the id of a restaurant in the centre of a city, with the same menu.
func RestaurantIn(city string) string { return "city" + hex.EncodeToString([]byte(city)) }

// cityOf is the way back from RestaurantIn.
func cityOf(id string) (shard.City, bool) {
	if len(id) < 4 || id[:4] != "city" {
		return shard.City{}, false
	}
	name, err := hex.DecodeString(id[4:])
	match, known := shard.Cities().Lookup(string(name))
	return match.City, known && err == nil
}

// serveMenu runs the restaurant service of a bed until the test ends.
func serveMenu(t testing.TB, b *Bed) {
	t.Helper()
	service := micro.NewService(micro.ServiceConfig{
		Name: restaurant.ServiceName, Version: restaurant.ServiceVersion, Conn: b.NATS.Conn(restaurant.ServiceName),
	})
	micro.Handle(service, restaurant.VerbQuote, "Quote from the tests' menu", b.Menu.Quote)
	micro.Handle(service, restaurant.VerbQuotes, "Quotes from the tests' menu", b.Menu.Quotes)
	Run(t, service)
}

// Runner is a service with endpoints.
type Runner interface {
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

// Run runs a service until the test ends, and fails the test when it ends before.
func Run(t testing.TB, r Runner) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	select {
	case <-r.Ready():
	case err := <-done:
		require.NoError(t, err)
		t.Fatal("service ended by itself")
	case <-time.After(20 * time.Second):
		t.Fatal("service is not ready")
	}
}
