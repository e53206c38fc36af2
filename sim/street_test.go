package sim

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/geo"
)

// towns are places where a degree of longitude is short, long, and negative.
var somewhere = []geo.Point{
	{Latitude: 19.43, Longitude: -99.13}, {Latitude: 43.70, Longitude: -79.42}, {Latitude: 60.1, Longitude: 24.9}, {Latitude: -33.9, Longitude: 151.2},
}

func drawWay(t *rapid.T) (rng *rand.Rand, g grid, from, to geo.Point) {
	rng = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	from = rapid.SampledFrom(somewhere).Draw(t, "town")
	g = grid{angle: rapid.Float64Range(-0.8, 0.8).Draw(t, "angle")}
	return rng, g, from, around(rng, from, 1, 3000)
}

// A route goes from door to door in straight blocks, each along one of the town's two directions, none longer than a
// block is, and by no detour that the grid does not force.
func TestRoutesFollowTheStreets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rng, g, from, to := drawWay(t)
		path := g.route(rng, from, to)
		require.Equal(t, from, path[0])
		require.Equal(t, to, path[len(path)-1])
		length := 0.0
		for i := 1; i < len(path)-1; i++ {
			east, north := meters(path[i-1], path[i])
			block := math.Hypot(east, north)
			require.LessOrEqual(t, block, maxBlock*1.01)
			length += block
			off := math.Mod(math.Atan2(north, east)-g.angle+2*math.Pi, math.Pi/2)
			require.Less(t, min(off, math.Pi/2-off), 0.01, "across the blocks")
		}
		require.LessOrEqual(t, length, math.Sqrt2*distance(from, to)*1.01+maxBlock)
	})
}

// A walker keeps to human speeds, never jumps, gets there, and takes as long as the way and the lights do.
func TestWalkersArePlausible(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rng, g, from, to := drawWay(t)
		factor := rapid.SampledFrom([]float64{0.5, 1, 3, 10}).Draw(t, "factor")
		path := g.route(rng, from, to)
		w := newWalker(rng, path, factor)
		seconds := 0
		for !w.arrived() {
			before := w.at
			w.walk(1)
			seconds++
			require.LessOrEqual(t, distance(before, w.at), min(maxSpeed*factor, topSpeed)+2*arrivalRadius)
			require.GreaterOrEqual(t, w.heading, 0.0)
			require.Less(t, w.heading, 360.0)
			require.Less(t, seconds, 10000)
		}
		require.Equal(t, to, w.at)
		require.Zero(t, w.pace())
		length := 0.0
		for i := 1; i < len(path); i++ {
			length += distance(path[i-1], path[i])
		}
		slowest := length/min(minSpeed*factor, topSpeed) + float64(len(path))*maxLight/factor + 2
		require.LessOrEqual(t, float64(seconds), slowest*1.05)
		require.GreaterOrEqual(t, float64(seconds)+1, length/min(maxSpeed*factor, topSpeed)*0.95)
	})
}

func TestNoWayToGo(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	path := grid{}.route(rng, somewhere[0], somewhere[0])
	w := newWalker(rng, path, 1)
	w.walk(5)
	require.True(t, w.arrived())
	require.Equal(t, somewhere[0], w.at)
}

// What a phone reports is near the truth, and says how near.
func TestFixesAreNearTheTruth(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	sum := 0.0
	for range 1000 {
		seen, accuracy := fix(rng, somewhere[1])
		far := distance(seen, somewhere[1])
		require.Less(t, far, 8*gpsNoise)
		require.GreaterOrEqual(t, accuracy, minAccuracy)
		require.LessOrEqual(t, accuracy, maxAccy)
		sum += far
	}
	require.InDelta(t, gpsNoise*math.Sqrt(math.Pi/2), sum/1000, 0.5)
}

func TestMetersAndOffsetAreInverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom(somewhere).Draw(t, "town")
		east, north := rapid.Float64Range(-5000, 5000).Draw(t, "east"), rapid.Float64Range(-5000, 5000).Draw(t, "north")
		e, n := meters(from, offset(from, east, north))
		require.InDelta(t, east, e, 0.01)
		require.InDelta(t, north, n, 0.01)
		require.InDelta(t, math.Hypot(east, north), distance(from, offset(from, east, north)), 0.01*math.Hypot(east, north)+0.01)
	})
}
