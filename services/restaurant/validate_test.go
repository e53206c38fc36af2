package restaurant_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/restaurant"
	"tiffin/wire"
)

func ptr[T any](v T) *T { return &v }

// fields lists the refused fields of a validation.
func fields(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var invalid wire.Invalid
	require.ErrorAs(t, err, &invalid)
	names := make([]string, 0, len(invalid))
	for _, f := range invalid {
		names = append(names, f.Field)
	}
	return names
}

func good() restaurant.CreateRequest {
	return restaurant.CreateRequest{
		Name: "La Taquería", City: "San Francisco", Address: "2889 Mission St", Latitude: ptr(37.75), Longitude: ptr(-122.42),
		PhoneNumber: "+1 415 555 0100", Email: "hola@example.com", Cuisine: "Mexican",
	}
}

func TestCreateRequest(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*restaurant.CreateRequest)
		want   []string
	}{
		"good":                    {func(*restaurant.CreateRequest) {}, nil},
		"without cuisine":         {func(r *restaurant.CreateRequest) { r.Cuisine = "" }, nil},
		"on the equator":          {func(r *restaurant.CreateRequest) { r.Latitude, r.Longitude = ptr(0.0), ptr(0.0) }, nil},
		"at the corners":          {func(r *restaurant.CreateRequest) { r.Latitude, r.Longitude = ptr(-90.0), ptr(180.0) }, nil},
		"beyond the pole":         {func(r *restaurant.CreateRequest) { r.Latitude = ptr(90.1) }, []string{"latitude"}},
		"once round":              {func(r *restaurant.CreateRequest) { r.Longitude = ptr(-180.5) }, []string{"longitude"}},
		"not a number":            {func(r *restaurant.CreateRequest) { r.Latitude = ptr(math.NaN()) }, []string{"latitude"}},
		"nowhere":                 {func(r *restaurant.CreateRequest) { r.Latitude, r.Longitude = nil, nil }, []string{"latitude", "longitude"}},
		"nameless":                {func(r *restaurant.CreateRequest) { r.Name = " \t" }, []string{"name"}},
		"a novel of a name":       {func(r *restaurant.CreateRequest) { r.Name = strings.Repeat("x", 121) }, []string{"name"}},
		"a control in the name":   {func(r *restaurant.CreateRequest) { r.Name = "a\x00b" }, []string{"name"}},
		"a line in the address":   {func(r *restaurant.CreateRequest) { r.Address = "a\nb" }, []string{"address"}},
		"letters for a phone":     {func(r *restaurant.CreateRequest) { r.PhoneNumber = "call us" }, []string{"phoneNumber"}},
		"a short phone":           {func(r *restaurant.CreateRequest) { r.PhoneNumber = "911" }, []string{"phoneNumber"}},
		"no address for mail":     {func(r *restaurant.CreateRequest) { r.Email = "hola" }, []string{"email"}},
		"a name beside the mail":  {func(r *restaurant.CreateRequest) { r.Email = "Hola <hola@example.com>" }, []string{"email"}},
		"nothing at all":          {func(r *restaurant.CreateRequest) { *r = restaurant.CreateRequest{} }, []string{"name", "city", "address", "latitude", "longitude", "phoneNumber", "email"}},
		"a cuisine of the longer": {func(r *restaurant.CreateRequest) { r.Cuisine = strings.Repeat("x", 61) }, []string{"cuisine"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := good()
			tc.change(&r)
			require.Equal(t, tc.want, fields(t, r.Validate()))
		})
	}
}

func TestOtherRequests(t *testing.T) {
	t.Parallel()
	id := "0123456789abcdef01234567"
	line := restaurant.QuoteLine{MenuItemID: id, Quantity: 1}
	for name, tc := range map[string]struct {
		req  interface{ Validate() error }
		want []string
	}{
		"list everything":           {restaurant.ListRequest{}, nil},
		"list with everything":      {restaurant.ListRequest{City: "SF", Q: "x", Cuisine: "y", Latitude: ptr(1.0), Longitude: ptr(1.0), RadiusKm: ptr(5.0), IsActive: ptr(true), Limit: 100, Cursor: "x"}, nil},
		"half a position":           {restaurant.ListRequest{Latitude: ptr(1.0)}, []string{"latitude"}},
		"a circle around nothing":   {restaurant.ListRequest{RadiusKm: ptr(1.0)}, []string{"radiusKm"}},
		"a circle of nothing":       {restaurant.ListRequest{Latitude: ptr(1.0), Longitude: ptr(1.0), RadiusKm: ptr(0.0)}, []string{"radiusKm"}},
		"a circle around the world": {restaurant.ListRequest{Latitude: ptr(1.0), Longitude: ptr(1.0), RadiusKm: ptr(20000.0)}, []string{"radiusKm"}},
		"too many":                  {restaurant.ListRequest{Limit: 101}, []string{"limit"}},
		"fewer than none":           {restaurant.ListRequest{Limit: -1}, []string{"limit"}},
		"a long cursor":             {restaurant.ListRequest{Cursor: strings.Repeat("x", 513)}, []string{"cursor"}},
		"long words":                {restaurant.ListRequest{Q: strings.Repeat("x", 121), City: strings.Repeat("x", 121)}, []string{"city", "q"}},

		"change nothing":  {restaurant.UpdateRequest{ID: id}, nil},
		"change all":      {restaurant.UpdateRequest{ID: id, Changes: restaurant.Changes{Name: ptr("x"), City: ptr("x"), Address: ptr("x"), Latitude: ptr(1.0), Longitude: ptr(1.0), PhoneNumber: ptr("12345"), Email: ptr("a@b.c"), Cuisine: ptr(""), IsActive: ptr(false)}}, nil},
		"change to none":  {restaurant.Changes{Name: ptr(""), City: ptr(""), Address: ptr(""), PhoneNumber: ptr(""), Email: ptr("")}, []string{"name", "city", "address", "phoneNumber", "email"}},
		"move off earth":  {restaurant.Changes{Latitude: ptr(91.0), Longitude: ptr(181.0)}, []string{"latitude", "longitude"}},
		"a dish":          {restaurant.MenuAddRequest{RestaurantID: id, ItemFields: restaurant.ItemFields{Name: "Taco", Price: ptr(wire.Money(459))}}, nil},
		"a free dish":     {restaurant.ItemFields{Name: "Water", Price: ptr(wire.Money(0)), Description: "from\nthe tap"}, nil},
		"a dish for ever": {restaurant.ItemFields{Name: "Taco"}, []string{"price"}},
		"money back":      {restaurant.ItemFields{Name: "Taco", Price: ptr(wire.Money(-1))}, []string{"price"}},
		"a dear dish":     {restaurant.ItemFields{Name: "Taco", Price: ptr(restaurant.MaxPrice + 1)}, []string{"price"}},
		"a nameless dish": {restaurant.ItemFields{Price: ptr(wire.Money(1))}, []string{"name"}},
		"a dish of NULs":  {restaurant.ItemFields{Name: "x", Description: "\x00", Price: ptr(wire.Money(1))}, []string{"description"}},
		"a dish's novel":  {restaurant.ItemFields{Name: "x", Description: strings.Repeat("x", 1001), Price: ptr(wire.Money(1))}, []string{"description"}},
		"a dish as it is": {restaurant.MenuUpdateRequest{}, nil},
		"a worse dish":    {restaurant.ItemChanges{Name: ptr(""), Price: ptr(wire.Money(-1)), Description: ptr("\x01"), Category: ptr(strings.Repeat("x", 61))}, []string{"name", "category", "description", "price"}},

		"a quote":             {restaurant.QuoteRequest{RestaurantID: id, Items: []restaurant.QuoteLine{line}}, nil},
		"a quote of nothing":  {restaurant.QuoteRequest{}, []string{"items"}},
		"a quote of too much": {restaurant.QuoteRequest{Items: make([]restaurant.QuoteLine, 101)}, []string{"items"}},
		"a quote of nonsense": {restaurant.QuoteRequest{Items: []restaurant.QuoteLine{line, {MenuItemID: "x", Quantity: 1}, {MenuItemID: id}, {MenuItemID: id, Quantity: 1001}}}, []string{"items[1].menuItemId", "items[2].quantity", "items[3].quantity"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, fields(t, tc.req.Validate()))
		})
	}
}

func TestValidID(t *testing.T) {
	t.Parallel()
	require.True(t, restaurant.ValidID("0123456789abcdef01234567"))
	for _, bad := range []string{"", "0123456789abcdef0123456", "0123456789abcdef012345678", "0123456789ABCDEF01234567", "0123456789abcdef0123456g", "........................"} {
		require.False(t, restaurant.ValidID(bad), bad)
	}
}

// Prices are exact from the wire on, and what is no price is refused before anybody validates it.
func TestPricesOnTheWire(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]wire.Money{"4.59": 459, "0.1": 10, "10": 1000, "0.29": 29, "1.10": 110} {
		var req restaurant.ItemFields
		require.NoError(t, wire.Decode([]byte(`{"name":"x","price":`+in+`}`), &req))
		require.Equal(t, want, *req.Price)
	}
	for _, bad := range []string{`"4.59"`, `4.599`, `1e2`, `true`} {
		var req restaurant.ItemFields
		require.Error(t, wire.Decode([]byte(`{"name":"x","price":`+bad+`}`), &req), bad)
	}
	data, err := wire.Encode(restaurant.MenuItem{Price: 4599})
	require.NoError(t, err)
	require.Contains(t, string(data), `"price":45.99`)
}
