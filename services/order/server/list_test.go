package server_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
)

// walk reads a list to its end, page by page, and returns the ids.
func (f *fixture) walk(t *testing.T, ctx context.Context, req order.ListRequest) (ids []string) {
	t.Helper()
	for {
		page, err := f.orders.List(ctx, req)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Orders), max(req.Limit, 1)+order.DefaultLimit*boolInt(req.Limit == 0))
		for _, o := range page.Orders {
			ids = append(ids, o.ID)
		}
		if page.NextCursor == "" {
			return ids
		}
		require.NotEmpty(t, page.Orders)
		req.Cursor = page.NextCursor
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// placeIn places an order in a city for a customer.
func (f *fixture) placeIn(t *testing.T, customer, city string) order.Order {
	t.Helper()
	created, err := f.orders.Create(ordertest.Customer(t.Context(), customer), ordertest.RequestIn(city))
	require.NoError(t, err)
	return created.Order
}

// newestFirst sorts ids as lists are: the time they carry decides.
func newestFirst(ids []string) []string {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	return sorted
}

func TestListsAreWhatTheActorMaySee(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.NewThree(t))
	alice, bob := f.NewUser("San Francisco"), f.NewUser("Boston")
	var hers, his, all []string
	for _, city := range []string{"San Francisco", "Boston", "Guadalajara", "San Francisco", "Vancouver"} {
		hers = append(hers, f.placeIn(t, alice, city).ID)
		his = append(his, f.placeIn(t, bob, city).ID)
	}
	all = newestFirst(append(slices.Clone(hers), his...))
	rider := f.bind(t, hers[0], false)

	for _, limit := range []int{1, 2, 3, 100} {
		req := order.ListRequest{Limit: limit}
		require.Equal(t, newestFirst(hers), f.walk(t, ordertest.Customer(t.Context(), alice), req))
		require.Equal(t, newestFirst(his), f.walk(t, ordertest.Customer(t.Context(), bob), req))
		require.Equal(t, all, f.walk(t, ordertest.Admin(t.Context()), req), "gathered from all shards, merged and paged")
		require.Equal(t, all, f.walk(t, f.owner(t.Context()), req))
		require.Equal(t, []string{hers[0]}, f.walk(t, ordertest.Rider(t.Context(), rider), req))
	}
	require.Empty(t, f.walk(t, ordertest.As(t.Context(), auth.RoleOwner, alice), order.ListRequest{}), "an owner of nothing")
	_, err := f.orders.List(ordertest.As(t.Context(), micro.RoleAnonymous, ""), order.ListRequest{})
	require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(err))
	_, err = f.orders.List(ordertest.Customer(t.Context(), alice), order.ListRequest{CustomerID: bob})
	require.ErrorIs(t, err, micro.Forbidden(""))
}

func TestFilters(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.NewThree(t))
	alice, bob := f.NewUser("San Francisco"), f.NewUser("Boston")
	sf, oakland, boston := f.placeIn(t, alice, "San Francisco"), f.placeIn(t, alice, "Oakland"), f.placeIn(t, bob, "Boston")
	_, err := f.move(ordertest.Admin(t.Context()), oakland.ID, order.Cancelled)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		req  order.ListRequest
		want []string
	}{
		"city":            {order.ListRequest{City: "sf"}, []string{sf.ID}},
		"customer":        {order.ListRequest{CustomerID: alice}, []string{oakland.ID, sf.ID}},
		"restaurant":      {order.ListRequest{RestaurantID: ordertest.RestaurantIn("Boston")}, []string{boston.ID}},
		"status":          {order.ListRequest{Status: order.Pending}, []string{boston.ID, sf.ID}},
		"ended":           {order.ListRequest{Status: order.Cancelled}, []string{oakland.ID}},
		"all of them":     {order.ListRequest{CustomerID: alice, City: "Oakland", Status: order.Cancelled, RestaurantID: ordertest.RestaurantIn("Oakland")}, []string{oakland.ID}},
		"another's city":  {order.ListRequest{CustomerID: bob, City: "Oakland"}, nil},
		"nobody":          {order.ListRequest{CustomerID: f.NewUser("Boston")}, nil},
		"a foreign id":    {order.ListRequest{CustomerID: uuid.NewString()}, nil},
		"no restaurant":   {order.ListRequest{RestaurantID: "nothing"}, nil},
		"city of nowhere": {order.ListRequest{City: "Xyzzyville"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, f.walk(t, ordertest.Admin(t.Context()), c.req))
		})
	}
}

func TestCursorsOfNoList(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for _, cursor := range []string{"x", "AAAA", "!!!!", "AQ"} {
		_, err := f.orders.List(ordertest.Admin(t.Context()), order.ListRequest{Cursor: cursor})
		require.Equal(t, micro.CodeInvalid, micro.CodeOf(err))
		require.Equal(t, "cursor", micro.From(err).Fields[0].Field)
	}
}

// Orders arrive on all shards while somebody pages through the list: what was there at the beginning is seen exactly
// once, and in order.
func TestPagesStayPutWhileOrdersArrive(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.NewThree(t))
	cities := []string{"San Francisco", "Boston", "Guadalajara", "Toronto"}
	var before []string
	for i := range 30 {
		before = append(before, f.placeIn(t, f.NewUser("Boston"), cities[i%len(cities)]).ID)
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	for _, city := range cities {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := f.orders.Create(ordertest.Customer(t.Context(), f.NewUser(city)), ordertest.RequestIn(city)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 5 {
		seen := f.walk(t, ordertest.Admin(t.Context()), order.ListRequest{Limit: 7})
		require.Equal(t, newestFirst(seen), seen, "newest first across pages")
		require.Equal(t, newestFirst(before), seen[len(seen)-len(before):], "none twice, none missing")
	}
	close(stop)
	group.Wait()
}

func TestCreatedAtIsInTheOrderOfTheList(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.NewThree(t))
	customer := f.NewUser("Boston")
	for _, city := range []string{"Boston", "San Francisco", "Houston", "Boston", "Tijuana"} {
		f.placeIn(t, customer, city)
	}
	page, err := f.orders.List(ordertest.Customer(t.Context(), customer), order.ListRequest{})
	require.NoError(t, err)
	require.Len(t, page.Orders, 5)
	for i, o := range page.Orders[1:] {
		require.False(t, o.CreatedAt.After(page.Orders[i].CreatedAt.Time))
	}
}
