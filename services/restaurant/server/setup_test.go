package server

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/restaurant"
	"tiffin/shard"
	"tiffin/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon and often are the patience and the pace of waiting for conditions.
const (
	soon  = 20 * time.Second
	often = 5 * time.Millisecond
)

func newRouter(tb testing.TB) *shard.Router {
	tb.Helper()
	const nowhere = "postgres://nobody@127.0.0.1:1/none"
	router, err := shard.NewRouter(shard.Config{Shards: []shard.ShardConfig{
		{ID: "a", URL: nowhere, Regions: []string{"us-west", "ca"}},
		{ID: "b", URL: nowhere, Regions: []string{"us-east", "us-central"}},
		{ID: "c", URL: nowhere, Regions: []string{"us-south", "mx"}},
	}})
	require.NoError(tb, err)
	return router
}

// newServer makes an instance on the given servers. rdb may be nil.
func newServer(t *testing.T, mongoURL string, rdb *redis.Client, change ...func(*Config)) *Server {
	t.Helper()
	cfg := Config{MongoURL: mongoURL, Router: newRouter(t), Redis: rdb}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.close()) })
	return s
}

// newCached is one instance with store and cache of its own.
func newCached(t *testing.T) *Server {
	t.Helper()
	return newServer(t, testenv.Mongo(t), testenv.Redis(t))
}

var people atomic.Int64

// by is a context of somebody of the role, a new one each time.
func by(tb testing.TB, role string) context.Context {
	tb.Helper()
	return micro.WithActor(tb.Context(), micro.Actor{Role: role, ID: fmt.Sprintf("person-%d", people.Add(1))})
}

func owner(tb testing.TB) context.Context { tb.Helper(); return by(tb, auth.RoleOwner) }

func ptr[T any](v T) *T { return &v }

func opening(name, city string) restaurant.CreateRequest {
	return restaurant.CreateRequest{
		Name: name, City: city, Address: "2889 Mission St", Latitude: ptr(37.7509), Longitude: ptr(-122.4181),
		PhoneNumber: "+14155550100", Email: "hola@example.com", Cuisine: "Mexican",
	}
}

func mustOpen(ctx context.Context, t *testing.T, s *Server, req restaurant.CreateRequest) restaurant.Restaurant {
	t.Helper()
	require.NoError(t, req.Validate())
	r, err := s.create(ctx, req)
	require.NoError(t, err)
	return r
}

func mustAdd(ctx context.Context, t *testing.T, s *Server, restaurantID, name string, cents wire.Money) restaurant.MenuItem {
	t.Helper()
	item, err := s.menuAdd(ctx, restaurant.MenuAddRequest{
		RestaurantID: restaurantID, ItemFields: restaurant.ItemFields{Name: name, Price: &cents, Category: "Tacos"},
	})
	require.NoError(t, err)
	return item
}

// decoded reads an encoded answer as a client would.
func decoded[T any](t *testing.T, data encoded[T], err error) (v T) {
	t.Helper()
	require.NoError(t, err)
	require.NoError(t, wire.Decode(data, &v))
	return v
}

func list(t *testing.T, s *Server, req restaurant.ListRequest) restaurant.ListResponse {
	t.Helper()
	require.NoError(t, req.Validate())
	data, err := s.list(t.Context(), req)
	return decoded(t, data, err)
}

// names lists the names of a page.
func names(res restaurant.ListResponse) []string {
	out := []string{}
	for _, r := range res.Restaurants {
		out = append(out, r.Name)
	}
	return out
}

func get(t *testing.T, s *Server, id string) restaurant.Restaurant {
	t.Helper()
	data, err := s.get(t.Context(), restaurant.GetRequest{ID: id})
	return decoded(t, data, err)
}

func menuOf(t *testing.T, s *Server, id string) []restaurant.MenuItem {
	t.Helper()
	data, err := s.menu(t.Context(), restaurant.MenuRequest{RestaurantID: id})
	return decoded(t, data, err).Items
}

func quoteOf(t *testing.T, s *Server, id string, items ...string) restaurant.Quote {
	t.Helper()
	req := restaurant.QuoteRequest{RestaurantID: id}
	for _, item := range items {
		req.Items = append(req.Items, restaurant.QuoteLine{MenuItemID: item, Quantity: 1})
	}
	require.NoError(t, req.Validate())
	q, err := s.quote(t.Context(), req)
	require.NoError(t, err)
	return q
}

func requireCode(t *testing.T, code micro.Code, err error) {
	t.Helper()
	require.Equal(t, code, micro.CodeOf(err), "%v", err)
}

// objectID is the nth of ids in ascending order.
func objectID(n int) bson.ObjectID {
	id, err := bson.ObjectIDFromHex(fmt.Sprintf("%024x", n))
	if err != nil {
		panic(err) // of the test's own making
	}
	return id
}
