// Package ordertest builds what tests of orders and riders stand on: shards on a real PostgreSQL, a real NATS, and a
// restaurant service of three lines whose one menu is known to the tests.
package ordertest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/geo"
	"tiffin/services/order"
	"tiffin/shard"
	"tiffin/wire"
)

// Where the tests' restaurant is: Union Square, San Francisco.
const (
	City      = "San Francisco"
	Latitude  = 37.7880
	Longitude = -122.4075
)

// The ids of the tests' restaurant and dishes. GoneID is on the menu but not available.
const (
	RestaurantID = "656e0000000000000000000a"
	DishID       = "656e0000000000000000000b"
	SideID       = "656e0000000000000000000c"
	GoneID       = "656e0000000000000000000d"
)

// Bed is the ground a test stands on.
type Bed struct {
	Shards *shard.Set
	Config shard.Config
	NATS   *testenv.NATSServer
	Owner  string // the user who owns the restaurant
	Menu   *Menu
}

// New makes a bed with one shard that holds every region: most tests need no more, and one database is made sooner.
func New(t testing.TB) *Bed {
	t.Helper()
	return build(t, shard.Config{Shards: []shard.ShardConfig{{
		ID: "a", URL: testenv.Postgres(t), Regions: []string{"us-west", "ca", "us-east", "us-central", "us-south", "mx"},
	}}})
}

// NewThree makes a bed with the three shards of the default configuration.
func NewThree(t testing.TB) *Bed {
	t.Helper()
	urls := testenv.ShardURLs(t)
	return build(t, shard.Config{Shards: []shard.ShardConfig{
		{ID: "a", URL: urls["a"], Regions: []string{"us-west", "ca"}},
		{ID: "b", URL: urls["b"], Regions: []string{"us-east", "us-central"}},
		{ID: "c", URL: urls["c"], Regions: []string{"us-south", "mx"}},
	}})
}

// build opens shards and NATS, serves the menu and makes the stream that events go to.
func build(t testing.TB, config shard.Config) *Bed {
	t.Helper()
	b := &Bed{Config: config, Shards: Open(t, config), NATS: testenv.NATS(t)}
	b.Owner = b.NewUser("San Francisco")
	b.Menu = newMenu(b.Owner)
	serveMenu(t, b)
	_, err := micro.EnsureStream(t.Context(), b.NATS.JS(), 1)
	require.NoError(t, err)
	return b
}

// patience is for machines that run many tests at once: what is too slow there is not what a test is about.
const patience = 20 * time.Second

// Open opens the pools of a configuration until the test ends.
func Open(t testing.TB, config shard.Config) *shard.Set {
	t.Helper()
	router, err := shard.NewRouter(config)
	require.NoError(t, err)
	set, err := shard.Open(t.Context(), router, config, shard.Options{MaxConns: 20, Timeout: patience, Keys: testenv.Keys(t)})
	require.NoError(t, err)
	t.Cleanup(set.Close)
	return set
}

// Through opens the bed's only shard by way of a proxy.
func (b *Bed) Through(t testing.TB, c *Cutter) *shard.Set {
	t.Helper()
	only := b.Config.Shards[0]
	only.URL = c.URL
	return Open(t, shard.Config{Shards: []shard.ShardConfig{only}})
}

// WithDead gives a view of the bed in which one shard cannot be reached.
func (b *Bed) WithDead(t testing.TB, dead string) *Bed {
	t.Helper()
	config := shard.Config{}
	for _, s := range b.Config.Shards {
		if s.ID == dead {
			s.URL = "postgres://postgres@127.0.0.1:1/nothing" // nobody listens on port 1
		}
		config.Shards = append(config.Shards, s)
	}
	view := *b
	view.Shards = Open(t, config)
	return &view
}

// Client returns a client of a role's own connection.
func (b *Bed) Client(role string) *micro.Client {
	return micro.NewClient(b.NATS.Conn(role), micro.ClientConfig{Timeout: patience})
}

// NewUser makes the id of a user who lives in a city.
func (b *Bed) NewUser(city string) string {
	router := b.Shards.Router()
	return router.NewID(router.RouteCity(city).Region)
}

// NewRider creates an unavailable rider km kilometres north of the restaurant.
func (b *Bed) NewRider(t testing.TB, km float64) string {
	t.Helper()
	return b.NewRiderIn(t, City, North(km))
}

// NewRiderIn creates an unavailable rider of a city.
func (b *Bed) NewRiderIn(t testing.TB, city string, at geo.Point) string {
	t.Helper()
	id := b.NewUser(city)
	db, err := b.Shards.ByID(id)
	require.NoError(t, err)
	require.NoError(t, db.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		return deliverytx.CreatePartner(ctx, tx, delivery.NewPartner{
			ID: id, City: city, Region: string(db.Region()), Latitude: at.Latitude, Longitude: at.Longitude,
		})
	}))
	return id
}

// North is the point km kilometres north of the restaurant.
func North(km float64) geo.Point {
	return geo.Point{Latitude: Latitude + km/(geo.EarthRadiusKm*2*3.14159265358979/360), Longitude: Longitude}
}

// Exec runs a statement on the shard of a city and expects it to change something.
func (b *Bed) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	tag, err := b.DB(t, City).Pool().Exec(t.Context(), sql, args...)
	require.NoError(t, err)
	require.NotZero(t, tag.RowsAffected(), "nothing changed: %s", sql)
}

// DB gives the database of a city's region.
func (b *Bed) DB(t testing.TB, city string) *shard.DB {
	t.Helper()
	db, err := b.Shards.ByRegion(b.Shards.Router().RouteCity(city).Region)
	require.NoError(t, err)
	return db
}

// As gives a context in which somebody acts.
func As(ctx context.Context, role, id string) context.Context {
	return micro.WithActor(ctx, micro.Actor{ID: id, Role: role})
}

// Customer gives a context in which a customer acts.
func Customer(ctx context.Context, id string) context.Context { return As(ctx, auth.RoleCustomer, id) }

// Rider gives a context in which a rider acts.
func Rider(ctx context.Context, id string) context.Context { return As(ctx, auth.RoleRider, id) }

// Admin gives a context in which an administrator acts.
func Admin(ctx context.Context) context.Context { return As(ctx, auth.RoleAdmin, uuid.NewString()) }

// Request is an order of one dish, handed over a kilometre from the restaurant.
func Request() order.CreateRequest {
	to := North(1)
	return order.CreateRequest{
		RestaurantID:    RestaurantID,
		Items:           []order.Line{{MenuItemID: DishID, Quantity: 2}},
		DeliveryAddress: "1 Market Street",
		City:            City,
		Latitude:        &to.Latitude,
		Longitude:       &to.Longitude,
	}
}

// RequestIn is Request for a restaurant of another city: with RestaurantIn, its place is the city's centre.
func RequestIn(city string) order.CreateRequest {
	match, _ := shard.Cities().Lookup(city)
	req := Request()
	req.RestaurantID, req.City = RestaurantIn(city), city
	req.Latitude, req.Longitude = &match.City.Latitude, &match.City.Longitude
	return req
}

// Price is what DishID costs at first.
const Price = wire.Money(1250)
