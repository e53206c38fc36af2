package order_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/order"
	"tiffin/wire"
)

func at(degrees float64) *float64 { return &degrees }

func valid() order.CreateRequest {
	return order.CreateRequest{
		RestaurantID: "656e0000000000000000000a", Items: []order.Line{{MenuItemID: "656e0000000000000000000b", Quantity: 1}},
		DeliveryAddress: "1 Market Street", City: "San Francisco", Latitude: at(37.7), Longitude: at(-122.4),
	}
}

// fields lists the fields an error complains about.
func fields(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var invalid wire.Invalid
	require.ErrorAs(t, err, &invalid)
	list := make([]string, len(invalid))
	for i, f := range invalid {
		list[i] = f.Field
	}
	return list
}

func TestCreateRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*order.CreateRequest)
		want   []string
	}{
		"good":                  {func(*order.CreateRequest) {}, nil},
		"the most":              {func(r *order.CreateRequest) { r.Items = make50() }, nil},
		"an address of lines":   {func(r *order.CreateRequest) { r.DeliveryAddress = "1 Market Street\nFloor 2" }, nil},
		"the same dish twice":   {func(r *order.CreateRequest) { r.Items = append(r.Items, r.Items[0]) }, nil},
		"nothing":               {func(r *order.CreateRequest) { *r = order.CreateRequest{} }, []string{"restaurantId", "deliveryAddress", "city", "latitude", "longitude", "items"}},
		"no items":              {func(r *order.CreateRequest) { r.Items = nil }, []string{"items"}},
		"too many items":        {func(r *order.CreateRequest) { r.Items = append(make50(), r.Items[0]) }, []string{"items"}},
		"none of a dish":        {func(r *order.CreateRequest) { r.Items[0].Quantity = 0 }, []string{"items[0].quantity"}},
		"fewer than none":       {func(r *order.CreateRequest) { r.Items[0].Quantity = -1 }, []string{"items[0].quantity"}},
		"a hundred of a dish":   {func(r *order.CreateRequest) { r.Items[0].Quantity = 100 }, []string{"items[0].quantity"}},
		"a dish without id":     {func(r *order.CreateRequest) { r.Items[0].MenuItemID = "" }, []string{"items[0].menuItemId"}},
		"north of the pole":     {func(r *order.CreateRequest) { r.Latitude = at(90.1) }, []string{"latitude"}},
		"nowhere":               {func(r *order.CreateRequest) { r.Longitude = at(math.NaN()) }, []string{"longitude"}},
		"an empty address":      {func(r *order.CreateRequest) { r.DeliveryAddress = "  \n" }, []string{"deliveryAddress"}},
		"a long address":        {func(r *order.CreateRequest) { r.DeliveryAddress = strings.Repeat("é", 301) }, []string{"deliveryAddress"}},
		"a NUL in the address":  {func(r *order.CreateRequest) { r.DeliveryAddress = "a\x00b" }, []string{"deliveryAddress"}},
		"an escape in the city": {func(r *order.CreateRequest) { r.City = "\x1b[31m" }, []string{"city"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := valid()
			c.change(&req)
			require.ElementsMatch(t, c.want, fields(t, req.Validate()))
		})
	}
}

func make50() []order.Line {
	lines := make([]order.Line, order.MaxLines)
	for i := range lines {
		lines[i] = order.Line{MenuItemID: "656e0000000000000000000b", Quantity: 99}
	}
	return lines
}

func TestListRequests(t *testing.T) {
	t.Parallel()
	require.NoError(t, order.ListRequest{}.Validate())
	require.NoError(t, order.ListRequest{Limit: 100, Status: order.Expired, City: "Boston"}.Validate())
	require.Equal(t, []string{"limit"}, fields(t, order.ListRequest{Limit: 101}.Validate()))
	require.Equal(t, []string{"limit"}, fields(t, order.ListRequest{Limit: -1}.Validate()))
	require.Equal(t, []string{"status"}, fields(t, order.ListRequest{Status: "done"}.Validate()))
	require.Equal(t, []string{"city"}, fields(t, order.ListRequest{City: strings.Repeat("x", 101)}.Validate()))
	require.NoError(t, order.ListRequest{CustomerID: "0192f0c1-2d3e-8abc-8def-0123456789ab", RestaurantID: "656e0000000000000000000a"}.Validate())
	for _, id := range []string{"x", "' or 1=1", "{0192f0c1-2d3e-8abc-8def-0123456789ab}", "0192f0c12d3e8abc8def0123456789ab"} {
		require.Equal(t, []string{"customerId"}, fields(t, order.ListRequest{CustomerID: id}.Validate()))
	}
	require.Equal(t, []string{"restaurantId"}, fields(t, order.ListRequest{RestaurantID: "a\x00b"}.Validate()))
}

func TestStatusRequests(t *testing.T) {
	t.Parallel()
	require.NoError(t, order.StatusRequest{Status: order.Ready, Reason: "at the counter"}.Validate())
	for _, s := range []order.Status{"", "pending", "expired", "READY", "done"} {
		require.Equal(t, []string{"status"}, fields(t, order.StatusRequest{Status: s}.Validate()), "%q", s)
	}
	require.Equal(t, []string{"reason"}, fields(t, order.StatusRequest{Status: order.Ready, Reason: strings.Repeat("x", 301)}.Validate()))
}

func TestUpdatesRequests(t *testing.T) {
	t.Parallel()
	negative, zero := int64(-1), int64(0)
	require.NoError(t, order.UpdatesRequest{}.Validate())
	require.NoError(t, order.UpdatesRequest{Since: &zero}.Validate())
	require.Equal(t, []string{"since"}, fields(t, order.UpdatesRequest{Since: &negative}.Validate()))
}
