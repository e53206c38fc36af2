package server

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/restaurant"
	"tiffin/wire"
)

// newRedis starts a Redis that the test may stop and start.
func newRedis(t *testing.T) (*testenv.Server, *redis.Client) {
	t.Helper()
	server := testenv.OwnRedis(t)
	opts, err := redis.ParseURL(server.URL)
	require.NoError(t, err)
	rdb := redis.NewClient(opts)
	t.Cleanup(func() { require.NoError(t, rdb.Close()) })
	return server, rdb
}

// hide changes the store behind the cache's back, so that a read shows where it came from.
func hide(t *testing.T, s *Server) {
	t.Helper()
	_, err := s.store.restaurants.UpdateMany(t.Context(), bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "name", Value: "hidden"}}}})
	require.NoError(t, err)
	_, err = s.store.menus.DeleteMany(t.Context(), bson.D{})
	require.NoError(t, err)
}

// What was read once is served from the cache, for an hour, on every instance.
func TestReadsAreCached(t *testing.T) {
	t.Parallel()
	url, rdb := testenv.Mongo(t), testenv.Redis(t)
	s, other := newServer(t, url, rdb), newServer(t, url, rdb)
	me := owner(t)
	r := mustOpen(me, t, s, opening("Taquería", "Boston"))
	item := mustAdd(me, t, s, r.ID, "Taco", 500)
	read := func(s *Server) {
		require.Equal(t, r, get(t, s, r.ID))
		require.Equal(t, []restaurant.MenuItem{item}, menuOf(t, s, r.ID))
		require.Equal(t, []string{"Taquería"}, names(list(t, s, restaurant.ListRequest{City: "Boston"})))
		require.Equal(t, []string{"Taquería"}, names(list(t, s, restaurant.ListRequest{City: "boston", Q: "taq", Limit: 5})))
	}
	read(s)
	hide(t, s)
	read(s)
	read(other)
	keys, err := rdb.Keys(t.Context(), "restaurant:*").Result()
	require.NoError(t, err)
	require.NotEmpty(t, keys)
	for _, key := range keys {
		ttl, err := rdb.TTL(t.Context(), key).Result()
		require.NoError(t, err)
		require.InDelta(t, 3600, ttl.Seconds(), 60, key)
	}
}

// Whatever sequence of writes on whichever instance: the next read of any instance shows all of them.
func TestWritesAreSeenByTheNextRead(t *testing.T) {
	t.Parallel()
	url, rdb := testenv.Mongo(t), testenv.Redis(t)
	instances := []*Server{newServer(t, url, rdb), newServer(t, url, rdb)}
	me := owner(t)
	cities := []string{"Boston", "Toronto"}
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		either := func() *Server { return instances[rapid.IntRange(0, 1).Draw(rt, "instance")] }
		runs++
		cuisine := fmt.Sprintf("cuisine %d", runs) // tells this run's restaurants from those of others
		opened := opening("Name 0", cities[0])
		opened.Cuisine = cuisine
		want := mustOpen(me, t, either(), opened)
		prices := map[string]wire.Money{}
		for range rapid.IntRange(1, 6).Draw(rt, "writes") {
			switch rapid.IntRange(0, 3).Draw(rt, "write") {
			case 0:
				changes := restaurant.Changes{
					Name: ptr(rapid.SampledFrom([]string{"Name 1", "Name 2"}).Draw(rt, "name")),
					City: ptr(rapid.SampledFrom(cities).Draw(rt, "city")), IsActive: ptr(rapid.Bool().Draw(rt, "active")),
				}
				var err error
				want, err = either().update(me, restaurant.UpdateRequest{ID: want.ID, Changes: changes})
				require.NoError(t, err)
			case 1:
				item := mustAdd(me, t, either(), want.ID, "Taco", 100)
				prices[item.ID] = item.Price
			default:
				for id := range prices {
					price := wire.Money(rapid.IntRange(1, 999).Draw(rt, "price"))
					_, err := either().menuUpdate(me, restaurant.MenuUpdateRequest{
						RestaurantID: want.ID, ItemID: id, ItemChanges: restaurant.ItemChanges{Price: &price},
					})
					require.NoError(t, err)
					prices[id] = price
				}
			}
			requireSeen(t, either(), want, prices, cuisine, cities)
		}
	})
}

func requireSeen(t *testing.T, s *Server, want restaurant.Restaurant, prices map[string]wire.Money, cuisine string, cities []string) {
	t.Helper()
	require.Equal(t, want, get(t, s, want.ID))
	for _, city := range cities {
		found := []restaurant.Restaurant{}
		if city == want.City {
			found = append(found, want)
		}
		require.Equal(t, found, list(t, s, restaurant.ListRequest{City: city, Cuisine: cuisine}).Restaurants)
	}
	require.Equal(t, []restaurant.Restaurant{want}, list(t, s, restaurant.ListRequest{Cuisine: cuisine}).Restaurants)
	got := map[string]wire.Money{}
	for _, item := range menuOf(t, s, want.ID) {
		got[item.ID] = item.Price
	}
	require.Equal(t, prices, got)
	for id, price := range prices {
		quote := quoteOf(t, s, want.ID, id)
		require.Equal(t, price, quote.Items[0].UnitPrice)
		require.Equal(t, want, quote.Restaurant)
	}
}

// Many readers of a city that nobody has read yet make few queries.
func TestStampede(t *testing.T) {
	t.Parallel()
	url, rdb := testenv.Mongo(t), testenv.Redis(t)
	instances := []*Server{newServer(t, url, rdb), newServer(t, url, rdb)}
	mustOpen(owner(t), t, instances[0], opening("Popular", "Boston"))
	loads := func() int { return instances[0].cities.Loads() + instances[1].cities.Loads() }
	before := loads()
	gate := make(chan struct{})
	done := make(chan []string)
	for i := range 200 {
		go func() {
			<-gate
			done <- names(list(t, instances[i%2], restaurant.ListRequest{City: "Boston"}))
		}()
	}
	close(gate)
	for range 200 {
		require.Equal(t, []string{"Popular"}, <-done)
	}
	require.LessOrEqual(t, loads()-before, 4)
}

// While Redis is away everything works, what was changed meanwhile is seen when it is back, and its old data is not.
func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	server, rdb := newRedis(t)
	s := newServer(t, testenv.Mongo(t), rdb)
	go func() { _ = s.cache.Run(t.Context()) }() // pays what is owed; its end is the test's end
	me := owner(t)
	r := mustOpen(me, t, s, opening("Before", "Boston"))
	item := mustAdd(me, t, s, r.ID, "Taco", 500)
	get(t, s, r.ID)
	list(t, s, restaurant.ListRequest{City: "Boston"})

	server.Pause() // keeps its data, and answers nobody
	changed, err := s.update(me, restaurant.UpdateRequest{ID: r.ID, Changes: restaurant.Changes{Name: ptr("During")}})
	require.NoError(t, err)
	_, err = s.menuUpdate(me, restaurant.MenuUpdateRequest{RestaurantID: r.ID, ItemID: item.ID, ItemChanges: restaurant.ItemChanges{Price: ptr(wire.Money(700))}})
	require.NoError(t, err)
	seen := func() {
		require.Equal(t, changed, get(t, s, r.ID))
		require.Equal(t, []string{"During"}, names(list(t, s, restaurant.ListRequest{City: "Boston"})))
		require.Equal(t, wire.Money(700), menuOf(t, s, r.ID)[0].Price)
		require.Equal(t, wire.Money(700), quoteOf(t, s, r.ID, item.ID).Items[0].UnitPrice)
	}
	seen()
	server.Resume()
	seen()

	server.Kill()
	seen()
	server.Start()
	seen()
}

// The second fault that package cache cannot answer for: the writer died while Redis was away, so Redis still has the
// old menu. A quote is right all the same, a second later at the latest.
func TestQuoteIsRightThoughTheCacheIsWrong(t *testing.T) {
	t.Parallel()
	url, rdb := testenv.Mongo(t), testenv.Redis(t)
	now := time.Now()
	s := newServer(t, url, rdb, func(c *Config) { c.Clock = func() time.Time { return now } })
	me := owner(t)
	r := mustOpen(me, t, s, opening("Taquería", "Boston"))
	item := mustAdd(me, t, s, r.ID, "Taco", 500)
	require.Equal(t, wire.Money(500), quoteOf(t, s, r.ID, item.ID).Items[0].UnitPrice)

	deaf := newServer(t, url, nil) // changes without telling Redis
	_, err := deaf.menuUpdate(me, restaurant.MenuUpdateRequest{RestaurantID: r.ID, ItemID: item.ID, ItemChanges: restaurant.ItemChanges{Price: ptr(wire.Money(900))}})
	require.NoError(t, err)
	_, err = deaf.update(me, restaurant.UpdateRequest{ID: r.ID, Changes: restaurant.Changes{IsActive: ptr(false)}})
	require.NoError(t, err)
	require.Equal(t, wire.Money(500), menuOf(t, s, r.ID)[0].Price, "the cache is wrong indeed")
	for range 2 { // what the store contradicts is not remembered
		now = now.Add(wordCounts)
		quote := quoteOf(t, s, r.ID, item.ID)
		require.Equal(t, wire.Money(900), quote.Items[0].UnitPrice)
		require.False(t, quote.Restaurant.IsActive)
	}
	quote := quoteOf(t, s, r.ID, item.ID)
	require.Equal(t, wire.Money(900), quote.Items[0].UnitPrice, "nor what it said before")
	require.False(t, quote.Restaurant.IsActive)
}

// A restaurant that sells is read from the store once a second, and each change is seen at once all the same.
func TestQuotesTakeTheStoresWordForASecond(t *testing.T) {
	t.Parallel()
	url, rdb := testenv.Mongo(t), testenv.Redis(t)
	now := time.Now()
	s, other := newServer(t, url, rdb, func(c *Config) { c.Clock = func() time.Time { return now } }), newServer(t, url, rdb)
	me := owner(t)
	r := mustOpen(me, t, s, opening("Taquería", "Boston"))
	item := mustAdd(me, t, s, r.ID, "Taco", 500)
	require.Equal(t, r, quoteOf(t, s, r.ID, item.ID).Restaurant)
	hide(t, s)
	require.Equal(t, r, quoteOf(t, s, r.ID, item.ID).Restaurant, "the store is not asked")
	now = now.Add(wordCounts)
	require.Equal(t, "hidden", quoteOf(t, s, r.ID, item.ID).Restaurant.Name, "it is asked again")

	changed := mustOpen(me, t, s, opening("Taquería", "Boston"))
	item = mustAdd(me, t, s, changed.ID, "Taco", 500)
	for price := range wire.Money(5) {
		_, err := other.menuUpdate(me, restaurant.MenuUpdateRequest{RestaurantID: changed.ID, ItemID: item.ID, ItemChanges: restaurant.ItemChanges{Price: &price}})
		require.NoError(t, err)
		require.Equal(t, price, quoteOf(t, s, changed.ID, item.ID).Items[0].UnitPrice)
		changed, err = other.update(me, restaurant.UpdateRequest{ID: changed.ID, Changes: restaurant.Changes{IsActive: ptr(price%2 == 0)}})
		require.NoError(t, err)
		require.Equal(t, changed, quoteOf(t, s, changed.ID, item.ID).Restaurant)
	}
}

// Whoever is not remembered is asked for again.
func TestWordsAreBounded(t *testing.T) {
	t.Parallel()
	var w words
	var last bson.ObjectID
	for range maxWords + 10 {
		last = bson.NewObjectID()
		w.keep(last, word{at: time.Unix(1, 0)})
	}
	require.Len(t, w.said, maxWords)
	require.Equal(t, time.Unix(1, 0), w.of(last).at)
	require.Zero(t, w.of(bson.NewObjectID()))
}

func TestQuote(t *testing.T) {
	t.Parallel()
	s := newCached(t)
	me := owner(t)
	r := mustOpen(me, t, s, opening("Taquería", "Boston"))
	taco, water := mustAdd(me, t, s, r.ID, "Taco", 459), mustAdd(me, t, s, r.ID, "Water", 0)
	_, err := s.menuUpdate(me, restaurant.MenuUpdateRequest{RestaurantID: r.ID, ItemID: water.ID, ItemChanges: restaurant.ItemChanges{IsAvailable: ptr(false)}})
	require.NoError(t, err)
	quote, err := s.quote(t.Context(), restaurant.QuoteRequest{RestaurantID: r.ID, Items: []restaurant.QuoteLine{
		{MenuItemID: water.ID, Quantity: 3}, {MenuItemID: taco.ID, Quantity: 2}, {MenuItemID: taco.ID, Quantity: 1},
	}})
	require.NoError(t, err)
	require.Equal(t, restaurant.Quote{Restaurant: r, Items: []restaurant.QuotedItem{
		{MenuItemID: water.ID, Name: "Water", Quantity: 3, UnitPrice: 0, Available: false},
		{MenuItemID: taco.ID, Name: "Taco", Quantity: 2, UnitPrice: 459, Available: true},
		{MenuItemID: taco.ID, Name: "Taco", Quantity: 1, UnitPrice: 459, Available: true},
	}}, quote)

	other := mustOpen(me, t, s, opening("Other", "Boston"))
	_, err = s.quote(t.Context(), restaurant.QuoteRequest{RestaurantID: other.ID, Items: []restaurant.QuoteLine{{MenuItemID: taco.ID, Quantity: 1}}})
	requireCode(t, micro.CodeInvalid, err)
	require.ErrorContains(t, err, "items[0].menuItemId")
}

// Many are answered as each would be by itself, and nil where that would be refused.
func TestQuotes(t *testing.T) {
	t.Parallel()
	_, client := serve(t)
	me := owner(t)
	var req restaurant.QuotesRequest
	ask := func(id, dish string, quantity int) {
		req.Quotes = append(req.Quotes, restaurant.QuoteRequest{
			RestaurantID: id, Items: []restaurant.QuoteLine{{MenuItemID: dish, Quantity: quantity}},
		})
	}
	price := wire.Money(459)
	for _, name := range []string{"Taquería", "Cantina"} {
		r, err := client.Create(me, opening(name, "Boston"))
		require.NoError(t, err)
		item, err := client.MenuAdd(me, r.ID, restaurant.ItemFields{Name: "Taco", Price: &price})
		require.NoError(t, err)
		ask(r.ID, item.ID, 1)
		ask(r.ID, item.ID, restaurant.MaxQuantity+1)
		ask(r.ID, r.ID, 1) // no dish
		ask(item.ID, item.ID, 1)
		ask("no id", item.ID, 1)
		ask(r.ID, item.ID, 2)
	}
	res, err := client.Quotes(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, res.Quotes, len(req.Quotes))
	for i, one := range req.Quotes {
		want, err := client.Quote(t.Context(), one)
		if err != nil {
			require.Nil(t, res.Quotes[i], i)
			continue
		}
		require.Equal(t, &want, res.Quotes[i], i)
	}
	require.NotNil(t, res.Quotes[0])
	for _, n := range []int{0, restaurant.MaxQuotes + 1} {
		_, err := client.Quotes(t.Context(), restaurant.QuotesRequest{Quotes: make([]restaurant.QuoteRequest, n)})
		requireCode(t, micro.CodeInvalid, err)
	}
}

// Over NATS, with a Quoter between: everybody gets the price of what they asked for.
func TestManyQuotesAtOnce(t *testing.T) {
	t.Parallel()
	ns, client := serve(t)
	me := owner(t)
	quoter := restaurant.NewQuoter(restaurant.NewClient(micro.NewClient(ns.Conn("order"), micro.ClientConfig{})))
	var all sync.WaitGroup
	for i := range 5 {
		r, err := client.Create(me, opening(fmt.Sprint("Taquería ", i), "Boston"))
		require.NoError(t, err)
		price := wire.Money(100 * (i + 1))
		item, err := client.MenuAdd(me, r.ID, restaurant.ItemFields{Name: "Taco", Price: &price})
		require.NoError(t, err)
		for quantity := 1; quantity <= 20; quantity++ {
			all.Go(func() {
				for range 10 {
					quote, err := quoter.Quote(t.Context(), restaurant.QuoteRequest{
						RestaurantID: r.ID, Items: []restaurant.QuoteLine{{MenuItemID: item.ID, Quantity: quantity}},
					})
					if err != nil || quote.Restaurant.ID != r.ID || quote.Items[0].UnitPrice != price || quote.Items[0].Quantity != quantity {
						t.Errorf("%d of restaurant %d: %+v, %v", quantity, i, quote, err)
					}
				}
			})
		}
	}
	all.Wait()
}
