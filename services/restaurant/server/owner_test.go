package server

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/restaurant"
	"tiffin/wire"
)

func TestCreateAndRead(t *testing.T) {
	t.Parallel()
	s := newCached(t)
	me := owner(t)
	req := opening("  La Taquería ", "san-francisco")
	r := mustOpen(me, t, s, req)
	require.True(t, restaurant.ValidID(r.ID), r.ID)
	require.Equal(t, "La Taquería", r.Name)
	require.Equal(t, "san-francisco", r.City, "the city is kept as typed")
	require.Equal(t, micro.ActorFrom(me).ID, r.OwnerUserID)
	require.True(t, r.IsActive)
	require.Zero(t, r.Rating)
	require.Equal(t, r.CreatedAt, r.UpdatedAt)
	require.Equal(t, r, get(t, s, r.ID))
	require.Equal(t, []restaurant.Restaurant{r}, list(t, s, restaurant.ListRequest{City: "SF"}).Restaurants)
	require.Empty(t, menuOf(t, s, r.ID))

	d, err := s.store.find(t.Context(), must(parseID(r.ID, "")))
	require.NoError(t, err)
	require.Equal(t, "us-west", d.Region)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // of the test's own making
	}
	return v
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	s := newCached(t)
	me := owner(t)
	r := mustOpen(me, t, s, opening("Old Name", "Boston"))
	changed, err := s.update(me, restaurant.UpdateRequest{ID: r.ID, Changes: restaurant.Changes{
		Name: ptr(" New Name "), City: ptr("Toronto"), Address: ptr("1 Yonge St"), Latitude: ptr(43.65),
		Longitude: ptr(-79.38), PhoneNumber: ptr("4165550100"), Email: ptr("new@example.com"), Cuisine: ptr(""), IsActive: ptr(false),
	}})
	require.NoError(t, err)
	want := r
	want.Name, want.City, want.Address, want.Latitude, want.Longitude = "New Name", "Toronto", "1 Yonge St", 43.65, -79.38
	want.PhoneNumber, want.Email, want.Cuisine, want.IsActive = "4165550100", "new@example.com", "", false
	want.UpdatedAt = changed.UpdatedAt
	require.Equal(t, want, changed)
	require.False(t, changed.UpdatedAt.Before(r.UpdatedAt.Time))

	require.Equal(t, changed, get(t, s, r.ID))
	require.Empty(t, list(t, s, restaurant.ListRequest{City: "Boston"}).Restaurants, "it has left its old city")
	require.Len(t, list(t, s, restaurant.ListRequest{City: "Toronto"}).Restaurants, 1)
	require.Len(t, list(t, s, restaurant.ListRequest{Q: "new name"}).Restaurants, 1)

	same, err := s.update(me, restaurant.UpdateRequest{ID: r.ID})
	require.NoError(t, err)
	same.UpdatedAt = changed.UpdatedAt
	require.Equal(t, changed, same)
}

func TestMenu(t *testing.T) {
	t.Parallel()
	s := newCached(t)
	me := owner(t)
	r := mustOpen(me, t, s, opening("Taquería", "Boston"))
	add := func(category, name string, price wire.Money) restaurant.MenuItem {
		item, err := s.menuAdd(me, restaurant.MenuAddRequest{RestaurantID: r.ID, ItemFields: restaurant.ItemFields{
			Name: name, Category: category, Price: &price, Description: "with salsa",
		}})
		require.NoError(t, err)
		return item
	}
	water, pastor, carnitas := add("drinks", "Water", 0), add("Tacos", "al Pastor", 459), add("Tacos", "Carnitas", 1099)
	require.Equal(t, r.ID, pastor.RestaurantID)
	require.True(t, pastor.IsAvailable)
	require.Equal(t, "with salsa", pastor.Description)
	require.Equal(t, []restaurant.MenuItem{water, pastor, carnitas}, menuOf(t, s, r.ID), "by category, then name")

	changed, err := s.menuUpdate(me, restaurant.MenuUpdateRequest{RestaurantID: r.ID, ItemID: pastor.ID, ItemChanges: restaurant.ItemChanges{
		Name: ptr("Suadero"), Price: ptr(wire.Money(501)), IsAvailable: ptr(false), Category: ptr("tacos"), Description: ptr(""),
	}})
	require.NoError(t, err)
	require.Equal(t, pastor.ID, changed.ID)
	require.Equal(t, wire.Money(501), changed.Price)
	require.False(t, changed.IsAvailable)
	require.Equal(t, []restaurant.MenuItem{water, carnitas, changed}, menuOf(t, s, r.ID))

	_, err = s.menuDelete(me, restaurant.MenuDeleteRequest{RestaurantID: r.ID, ItemID: carnitas.ID})
	require.NoError(t, err)
	require.Equal(t, []restaurant.MenuItem{water, changed}, menuOf(t, s, r.ID))
	_, err = s.menuDelete(me, restaurant.MenuDeleteRequest{RestaurantID: r.ID, ItemID: carnitas.ID})
	requireCode(t, micro.CodeNotFound, err)
	_, err = s.menuUpdate(me, restaurant.MenuUpdateRequest{RestaurantID: r.ID, ItemID: carnitas.ID})
	requireCode(t, micro.CodeNotFound, err)
}

func TestMenuIsBounded(t *testing.T) {
	t.Parallel()
	s := newCached(t)
	me := owner(t)
	r := mustOpen(me, t, s, opening("Taquería", "Boston"))
	id := must(parseID(r.ID, ""))
	full := menuDocument{ID: id, Rev: 1}
	for i := range restaurant.MaxMenuItems {
		full.Items = append(full.Items, itemDocument{ID: objectID(i), Name: fmt.Sprintf("Dish %03d", i)})
	}
	require.NoError(t, s.store.replaceMenu(t.Context(), full, 0))
	price := wire.Money(100)
	_, err := s.menuAdd(me, restaurant.MenuAddRequest{RestaurantID: r.ID, ItemFields: restaurant.ItemFields{Name: "One more", Price: &price}})
	requireCode(t, micro.CodeConflict, err)
	require.Len(t, menuOf(t, s, r.ID), restaurant.MaxMenuItems)
}

// Every write, tried by everybody.
func TestWhoMayChangeWhat(t *testing.T) {
	t.Parallel()
	s := newCached(t)
	me := owner(t)
	r := mustOpen(me, t, s, opening("Mine", "Boston"))
	item := mustAdd(me, t, s, r.ID, "Taco", 500)
	nobody := "0123456789abcdef01234567"
	price := wire.Money(1)
	writes := map[string]func(ctx context.Context, restaurantID string) error{
		"update": func(ctx context.Context, id string) error {
			_, err := s.update(ctx, restaurant.UpdateRequest{ID: id})
			return err
		},
		"menu-add": func(ctx context.Context, id string) error {
			_, err := s.menuAdd(ctx, restaurant.MenuAddRequest{RestaurantID: id, ItemFields: restaurant.ItemFields{Name: "x", Price: &price}})
			return err
		},
		"menu-update": func(ctx context.Context, id string) error {
			_, err := s.menuUpdate(ctx, restaurant.MenuUpdateRequest{RestaurantID: id, ItemID: item.ID})
			return err
		},
		"menu-delete of a dish that is not": func(ctx context.Context, id string) error {
			_, err := s.menuDelete(ctx, restaurant.MenuDeleteRequest{RestaurantID: id, ItemID: nobody})
			if micro.CodeOf(err) == micro.CodeNotFound && id == r.ID {
				return nil // it was allowed to look
			}
			return err
		},
	}
	for verb, write := range writes {
		for who, tc := range map[string]struct {
			ctx  context.Context
			id   string
			want micro.Code
		}{
			"its owner":              {me, r.ID, ""},
			"an administrator":       {by(t, auth.RoleAdmin), r.ID, ""},
			"the operator":           {by(t, micro.RoleOperator), r.ID, ""},
			"another owner":          {owner(t), r.ID, micro.CodeForbidden},
			"a customer":             {by(t, auth.RoleCustomer), r.ID, micro.CodeForbidden},
			"a rider":                {by(t, auth.RoleRider), r.ID, micro.CodeForbidden},
			"a service":              {by(t, micro.RoleService), r.ID, micro.CodeForbidden},
			"nobody":                 {t.Context(), r.ID, micro.CodeUnauthenticated},
			"an owner of nothing":    {owner(t), nobody, micro.CodeNotFound},
			"an owner without an id": {owner(t), "nonsense", micro.CodeNotFound},
			"a customer of nothing":  {by(t, auth.RoleCustomer), nobody, micro.CodeForbidden},
		} {
			require.Equal(t, tc.want, micro.CodeOf(write(tc.ctx, tc.id)), "%s by %s", verb, who)
		}
	}
	for role, want := range map[string]micro.Code{
		auth.RoleOwner: "", auth.RoleAdmin: "", auth.RoleCustomer: micro.CodeForbidden,
		auth.RoleRider: micro.CodeForbidden, micro.RoleAnonymous: micro.CodeUnauthenticated,
	} {
		_, err := s.create(by(t, role), opening("x", "Boston"))
		require.Equal(t, want, micro.CodeOf(err), "create by %s", role)
	}
}

func TestReadsOfNothing(t *testing.T) {
	t.Parallel()
	s := newCached(t)
	for _, id := range []string{"", "nonsense", "0123456789abcdef01234567", "0123456789ABCDEF01234567", "restaurant.*"} {
		_, err := s.get(t.Context(), restaurant.GetRequest{ID: id})
		requireCode(t, micro.CodeNotFound, err)
		_, err = s.menu(t.Context(), restaurant.MenuRequest{RestaurantID: id})
		requireCode(t, micro.CodeNotFound, err)
		_, err = s.quote(t.Context(), restaurant.QuoteRequest{RestaurantID: id})
		requireCode(t, micro.CodeNotFound, err)
	}
	require.Empty(t, list(t, s, restaurant.ListRequest{City: "Nowhere on Sea"}).Restaurants)
	require.Empty(t, list(t, s, restaurant.ListRequest{}).Restaurants)
	_, err := s.list(t.Context(), restaurant.ListRequest{Cursor: "nonsense"})
	requireCode(t, micro.CodeInvalid, err)
}

// Changes made at once, on two instances, are all made: none overwrites another.
func TestChangesAtOnce(t *testing.T) {
	t.Parallel()
	url, rdb := testenv.Mongo(t), testenv.Redis(t)
	instances := []*Server{newServer(t, url, rdb), newServer(t, url, rdb)}
	me := owner(t)
	r := mustOpen(me, t, instances[0], opening("Busy", "Boston"))
	fields := []restaurant.Changes{
		{Name: ptr("Busier")}, {Address: ptr("2 Main St")}, {Cuisine: ptr("Thai")}, {IsActive: ptr(false)}, {PhoneNumber: ptr("6175550100")},
	}
	var group sync.WaitGroup
	for i := range fields {
		group.Go(func() {
			_, err := instances[i%2].update(me, restaurant.UpdateRequest{ID: r.ID, Changes: fields[i]})
			require.NoError(t, err)
		})
		group.Go(func() { mustAdd(me, t, instances[i%2], r.ID, fmt.Sprintf("Dish %d", i), 100) })
	}
	group.Wait()
	for _, s := range instances {
		got := get(t, s, r.ID)
		require.Equal(t, []any{"Busier", "2 Main St", "Thai", false, "6175550100"},
			[]any{got.Name, got.Address, got.Cuisine, got.IsActive, got.PhoneNumber})
		require.Len(t, menuOf(t, s, r.ID), len(fields))
	}
	d, err := instances[0].store.find(t.Context(), must(parseID(r.ID, "")))
	require.NoError(t, err)
	require.EqualValues(t, 1+len(fields), d.Rev)
	require.EqualValues(t, len(fields), d.MenuRev)
}
