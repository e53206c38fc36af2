package tracking_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/tracking"
	"tiffin/wire"
)

func fields(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var invalid wire.Invalid
	require.ErrorAs(t, err, &invalid)
	names := make([]string, len(invalid))
	for i, f := range invalid {
		names[i] = f.Field
	}
	return names
}

func TestLocationRequestValidate(t *testing.T) {
	t.Parallel()
	num := func(v float64) *float64 { return &v }
	valid := func() tracking.LocationRequest {
		return tracking.LocationRequest{DeliveryPartnerID: uuid.NewString(), Latitude: num(0), Longitude: num(0)}
	}
	for _, tt := range []struct {
		name   string
		change func(r *tracking.LocationRequest)
		want   []string
	}{
		{"least", func(*tracking.LocationRequest) {}, nil},
		{"all", func(r *tracking.LocationRequest) {
			r.OrderID, r.City = uuid.NewString(), "Portland, ME"
			r.Accuracy, r.Heading, r.Speed = num(5), num(360), num(0)
		}, nil},
		{"corners", func(r *tracking.LocationRequest) { r.Latitude, r.Longitude = num(-90), num(180) }, nil},
		{"nothing", func(r *tracking.LocationRequest) { *r = tracking.LocationRequest{} },
			[]string{"deliveryPartnerId", "latitude", "longitude"}},
		{"out of range", func(r *tracking.LocationRequest) {
			r.Latitude, r.Longitude, r.Accuracy, r.Heading, r.Speed = num(90.1), num(-181), num(-1), num(361), num(-0.1)
		}, []string{"latitude", "longitude", "accuracy", "heading", "speed"}},
		{"no number", func(r *tracking.LocationRequest) { r.Latitude = num(math.NaN()) }, []string{"latitude"}},
		{"order id", func(r *tracking.LocationRequest) { r.OrderID = "x" }, []string{"orderId"}},
		{"city", func(r *tracking.LocationRequest) { r.City = strings.Repeat("é", 101) }, []string{"city"}},
	} {
		r := valid()
		tt.change(&r)
		require.Equal(t, tt.want, fields(t, r.Validate()), tt.name)
	}
}

func TestOtherRequestsValidate(t *testing.T) {
	t.Parallel()
	id := uuid.NewString()
	require.NoError(t, tracking.GetRequest{OrderID: id}.Validate())
	require.Equal(t, []string{"orderId"}, fields(t, tracking.GetRequest{}.Validate()))
	require.NoError(t, tracking.ReleaseRequest{OrderID: id, DeliveryPartnerID: id}.Validate())
	require.Equal(t, []string{"orderId", "deliveryPartnerId"}, fields(t, tracking.ReleaseRequest{}.Validate()))
	carry := tracking.CarryRequest{OrderID: id, DeliveryPartnerID: id, Phase: tracking.PhaseAccepted}
	require.NoError(t, carry.Validate())
	carry.Phase, carry.Restaurant, carry.Dropoff = "flying", &tracking.Point{Latitude: 91}, &tracking.Point{Longitude: 181}
	require.Equal(t, []string{"phase", "restaurant.latitude", "dropoff.longitude"}, fields(t, carry.Validate()))
}

// TestValidID: one id has one spelling, or one order would have two rooms.
func TestValidID(t *testing.T) {
	t.Parallel()
	id := "0197a9c2-7b1c-8abc-9def-0123456789ab"
	require.True(t, tracking.ValidID(id))
	for _, bad := range []string{
		"", "x", strings.ToUpper(id), "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""),
		id[:35] + "g", id + " ", id[:35] + "*",
	} {
		require.False(t, tracking.ValidID(bad), bad)
	}
}

func TestChannels(t *testing.T) {
	t.Parallel()
	id := uuid.NewString()
	back, ok := tracking.OrderOfChannel(tracking.LiveChannel(id))
	require.True(t, ok)
	require.Equal(t, id, back)
	for _, foreign := range []string{"", "tracking:live:", "tracking:order:" + id} {
		_, ok := tracking.OrderOfChannel(foreign)
		require.False(t, ok, foreign)
	}
	require.Equal(t, "tracking:order:"+id, tracking.OrderKey(id))
}

func TestReasonAtArrival(t *testing.T) {
	t.Parallel()
	now := time.Now()
	good, bad := tracking.MaxAccuracy, tracking.MaxAccuracy+1
	for _, tt := range []struct {
		taken    time.Time
		accuracy *float64
		want     string
	}{
		{now, nil, ""},
		{now, &good, ""},
		{now, &bad, tracking.ReasonInaccurate},
		{now.Add(tracking.MaxSkew), nil, ""},
		{now.Add(tracking.MaxSkew + time.Millisecond), nil, tracking.ReasonFuture},
		{now.Add(-tracking.MaxAge), nil, ""},
		{now.Add(-tracking.MaxAge - time.Millisecond), nil, tracking.ReasonLate},
	} {
		require.Equal(t, tt.want, tracking.ReasonAtArrival(tt.taken, now, tt.accuracy))
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	// San Francisco to Los Angeles, and the two sides of the date line.
	require.InDelta(t, 559_000, tracking.Distance(
		tracking.Point{Latitude: 37.7749, Longitude: -122.4194}, tracking.Point{Latitude: 34.0522, Longitude: -118.2437}), 1000)
	require.InDelta(t, 222_390, tracking.Distance(
		tracking.Point{Longitude: 179}, tracking.Point{Longitude: -179}), 100)

	point := rapid.Custom(func(r *rapid.T) tracking.Point {
		return tracking.Point{Latitude: rapid.Float64Range(-90, 90).Draw(r, "lat"), Longitude: rapid.Float64Range(-180, 180).Draw(r, "lon")}
	})
	rapid.Check(t, func(r *rapid.T) {
		a, b, c := point.Draw(r, "a"), point.Draw(r, "b"), point.Draw(r, "c")
		require.InDelta(r, 0, tracking.Distance(a, a), 1e-6)
		require.InDelta(r, tracking.Distance(a, b), tracking.Distance(b, a), 1e-6)
		require.LessOrEqual(r, tracking.Distance(a, c), tracking.Distance(a, b)+tracking.Distance(b, c)+1e-3)
		require.LessOrEqual(r, tracking.Distance(a, b), math.Pi*tracking.EarthRadius+1)
	})
}
