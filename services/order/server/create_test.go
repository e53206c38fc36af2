package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	"tiffin/services/restaurant"
	"tiffin/shard"
	"tiffin/wire"
)

func TestAnOrderIsPlacedAtTheMenusPrices(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	customer := f.NewUser(ordertest.City)
	req := ordertest.Request()
	req.City = "san-francisco"
	req.Items = append(req.Items, order.Line{MenuItemID: ordertest.SideID, Quantity: 3})
	created, err := f.orders.Create(ordertest.Customer(t.Context(), customer), req)
	require.NoError(t, err)
	require.False(t, created.Replayed)
	require.Equal(t, order.Order{
		ID: created.ID, CustomerID: customer, RestaurantID: ordertest.RestaurantID, Status: order.Pending,
		Items: []order.Item{
			{MenuItemID: ordertest.DishID, Name: "Thali", Quantity: 2, UnitPrice: 1250},
			{MenuItemID: ordertest.SideID, Name: "Naan", Quantity: 3, UnitPrice: 399},
		},
		TotalAmount: 3697, DeliveryAddress: "1 Market Street", City: ordertest.City,
		Latitude: *req.Latitude, Longitude: *req.Longitude, EstimatedDeliveryTime: 23,
		CreatedAt: created.CreatedAt, UpdatedAt: created.CreatedAt,
	}, created.Order)
	require.WithinDuration(t, time.Now(), created.CreatedAt.Time, time.Minute)

	got, err := f.orders.Get(ordertest.Customer(t.Context(), customer), created.ID)
	require.NoError(t, err)
	require.Equal(t, created.Order, got)

	region, err := f.Shards.Router().RegionOf(created.ID)
	require.NoError(t, err)
	require.Equal(t, shard.Region("us-west"), region, "the id carries the restaurant's region")
}

func TestOrdersThatAreRefused(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for name, c := range map[string]struct {
		change func(*order.CreateRequest)
		code   micro.Code
		fields []string
	}{
		"unknown restaurant": {func(r *order.CreateRequest) { r.RestaurantID = "656e000000000000000000ff" }, micro.CodeInvalid, []string{"restaurantId"}},
		"unknown dish":       {func(r *order.CreateRequest) { r.Items[0].MenuItemID = "nothing" }, micro.CodeInvalid, []string{"items[0].menuItemId"}},
		"unavailable dish":   {func(r *order.CreateRequest) { r.Items[0].MenuItemID = ordertest.GoneID }, micro.CodeConflict, nil},
		"another region":     {func(r *order.CreateRequest) { r.City = "Boston" }, micro.CodeInvalid, []string{"city"}},
		"out of range": {func(r *order.CreateRequest) {
			far := ordertest.North(25.1)
			r.Latitude = &far.Latitude
		}, micro.CodeInvalid, []string{"latitude", "longitude"}},
		"too dear": {func(r *order.CreateRequest) {
			r.Items[0].Quantity = 99
			for range 10 {
				r.Items = append(r.Items, r.Items[0])
			}
		}, micro.CodeInvalid, []string{"items"}},
		"no items": {func(r *order.CreateRequest) { r.Items = nil }, micro.CodeInvalid, []string{"items"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := ordertest.Request()
			c.change(&req)
			_, err := f.orders.Create(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), req)
			require.Equal(t, c.code, micro.CodeOf(err), "%v", err)
			var fields []string
			for _, field := range micro.From(err).Fields {
				fields = append(fields, field.Field)
			}
			require.Equal(t, c.fields, fields)
		})
	}
}

func TestADropOffJustWithinRangeAndAnotherCityOfTheRegion(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	req := ordertest.Request()
	to := ordertest.North(24.9)
	req.Latitude, req.City = &to.Latitude, "Oakland"
	created, err := f.orders.Create(ordertest.Customer(t.Context(), f.NewUser("Oakland")), req)
	require.NoError(t, err)
	require.Equal(t, "Oakland", created.City)
}

func TestAnInactiveRestaurantTakesNoOrders(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	f.Menu.Change(func(r *restaurant.Restaurant) { r.IsActive = false })
	_, err := f.orders.Create(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), ordertest.Request())
	require.ErrorIs(t, err, micro.Conflict(""))
}

func TestOnlyCustomersPlaceOrders(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for _, role := range []string{auth.RoleOwner, auth.RoleRider, auth.RoleAdmin, micro.RoleAnonymous, micro.RoleService, micro.RoleOperator} {
		_, err := f.orders.Create(ordertest.As(t.Context(), role, f.NewUser(ordertest.City)), ordertest.Request())
		require.ErrorIs(t, err, micro.Forbidden(""), role)
	}
	_, err := f.orders.Create(ordertest.Customer(t.Context(), "nobody"), ordertest.Request())
	require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(err))
}

func TestThePriceIsTheOneOfTheMoment(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	customer, placed := f.place(t)
	f.Menu.SetPrice(ordertest.DishID, 9999)
	again, err := f.orders.Create(ordertest.Customer(t.Context(), customer), ordertest.Request())
	require.NoError(t, err)
	require.Equal(t, wire.Money(19998), again.TotalAmount)
	old, err := f.orders.Get(ordertest.Admin(t.Context()), placed.ID)
	require.NoError(t, err)
	require.Equal(t, wire.Money(2500), old.TotalAmount, "what was ordered at the old price costs the old price")
}

func TestOneOrderIsWrittenOnceInEachOfItsTables(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	_, placed := f.place(t)
	for table, want := range map[string]string{
		"orders":  `select count(*) from orders.orders where id::text = $1 and seq = 1 and status = 'pending'`,
		"history": `select count(*) from orders.history where order_id::text = $1 and seq = 1 and to_status = 'pending' and from_status is null`,
		"outbox":  `select count(*) from outbox.events where key = $1 and type = 'order.created' and headers->>'Tiffin-Seq' = '1'`,
		"jobs":    `select count(*) from delivery.jobs where order_id::text = $1 and not offered`,
	} {
		var n int
		require.NoError(t, f.DB(t, ordertest.City).Pool().QueryRow(t.Context(), want, placed.ID).Scan(&n))
		require.Equal(t, 1, n, table)
	}
}
