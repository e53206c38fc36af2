package geo_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/geo"
)

func TestDistancesThatAreKnown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b geo.Point
		km   float64
	}{
		"San Francisco to New York": {geo.Point{Latitude: 37.7749, Longitude: -122.4194}, geo.Point{Latitude: 40.7128, Longitude: -74.0060}, 4129},
		"across the date line":      {geo.Point{Latitude: 0, Longitude: 179.5}, geo.Point{Latitude: 0, Longitude: -179.5}, 111.2},
		"over the pole":             {geo.Point{Latitude: 89.5, Longitude: 0}, geo.Point{Latitude: 89.5, Longitude: 180}, 111.2},
		"to the antipode":           {geo.Point{Latitude: 10, Longitude: 20}, geo.Point{Latitude: -10, Longitude: -160}, math.Pi * geo.EarthRadiusKm},
		"nowhere":                   {geo.Point{Latitude: 5, Longitude: 5}, geo.Point{Latitude: 5, Longitude: 5}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.InDelta(t, c.km, geo.DistanceKm(c.a, c.b), 0.005*c.km+0.001)
		})
	}
}

func anywhere(t *rapid.T, name string) geo.Point {
	return geo.Point{
		Latitude:  rapid.Float64Range(-90, 90).Draw(t, name+" latitude"),
		Longitude: rapid.Float64Range(-180, 180).Draw(t, name+" longitude"),
	}
}

func straight(a, b geo.Point) float64 {
	ax, ay, az := a.Unit()
	bx, by, bz := b.Unit()
	return math.Sqrt((ax-bx)*(ax-bx) + (ay-by)*(ay-by) + (az-bz)*(az-bz))
}

// The search for the nearest rider relies on this: whatever is nearer in space is nearer on the ground.
func TestTheChordIsTheDistance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anywhere(t, "a"), anywhere(t, "b")
		require.InDelta(t, geo.Chord(geo.DistanceKm(a, b)), straight(a, b), 1e-7)
	})
}

func TestDistanceIsAMetric(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anywhere(t, "a"), anywhere(t, "b"), anywhere(t, "c")
		require.InDelta(t, geo.DistanceKm(a, b), geo.DistanceKm(b, a), 1e-6)
		require.LessOrEqual(t, geo.DistanceKm(a, c), geo.DistanceKm(a, b)+geo.DistanceKm(b, c)+1e-3)
		require.LessOrEqual(t, geo.DistanceKm(a, b), math.Pi*geo.EarthRadiusKm+1e-6)
	})
}

func TestTheChordGrowsWithTheWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		km := rapid.Float64Range(0, 20000).Draw(t, "km")
		further := km + rapid.Float64Range(0, 10000).Draw(t, "further")
		require.LessOrEqual(t, geo.Chord(km), geo.Chord(further))
		require.LessOrEqual(t, geo.Chord(further), 2.0)
	})
}
