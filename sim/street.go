package sim

import (
	"math"
	"math/rand/v2"

	"tiffin/services/geo"
)

const (
	// metersPerDegree of latitude; a degree of longitude has cos(latitude) of it.
	metersPerDegree = 111_195.0

	minSpeed, maxSpeed   = 5.0, 12.0    // m/s: a bicycle uphill, a moped on an avenue
	minBlock, maxBlock   = 80.0, 240.0  // m between two corners
	lightChance          = 0.3          // of a red light at a corner
	minLight, maxLight   = 2.0, 12.0    // s
	gpsNoise             = 3.0          // m, standard deviation of a fix
	minAccuracy, maxAccy = 4.0, 12.0    // m, as the phone claims
	topSpeed             = 45.0         // m/s: faster than that nobody would believe, whatever the speed factor
	farAway              = 20 * 1000.0  // m from which on a rider is simply put there
	atTheDoor            = 25.0         // m within which a rider has arrived
	strollRadius         = 250.0        // m around which an idle rider drifts
	arrivalRadius        = 1.0          // m
	deliveryMin, delMax  = 400.0, 1800. // m between a kitchen and its customers
)

// offset is the point that lies so many metres to the east and to the north.
func offset(p geo.Point, east, north float64) geo.Point {
	return geo.Point{
		Latitude:  p.Latitude + north/metersPerDegree,
		Longitude: p.Longitude + east/(metersPerDegree*math.Cos(p.Latitude*math.Pi/180)),
	}
}

// meters is the way from one point to another, to the east and to the north. It is meant for one town.
func meters(from, to geo.Point) (east, north float64) {
	north = (to.Latitude - from.Latitude) * metersPerDegree
	east = (to.Longitude - from.Longitude) * metersPerDegree * math.Cos(from.Latitude*math.Pi/180)
	return east, north
}

// distance is the way as the crow flies, in metres.
func distance(a, b geo.Point) float64 { return 1000 * geo.DistanceKm(a, b) }

// around is a random point between least and most metres away.
func around(rng *rand.Rand, center geo.Point, least, most float64) geo.Point {
	angle, far := rng.Float64()*2*math.Pi, least+rng.Float64()*(most-least)
	return offset(center, far*math.Cos(angle), far*math.Sin(angle))
}

// grid is how a town's streets lie: in two directions, turned against north by an angle.
type grid struct{ angle float64 }

// route leads from one point to another along the streets: blocks in the one direction and in the other, in random
// order, until both ways are done. The first point is from, the last one to.
func (g grid) route(rng *rand.Rand, from, to geo.Point) []geo.Point {
	east, north := meters(from, to)
	sin, cos := math.Sincos(g.angle)
	left := [2]float64{east*cos + north*sin, north*cos - east*sin} // the way along the two kinds of street
	path, walked := []geo.Point{from}, [2]float64{}
	for left[0] != 0 || left[1] != 0 {
		street := 0
		if left[0] == 0 || left[1] != 0 && rng.Float64() < math.Abs(left[1])/(math.Abs(left[0])+math.Abs(left[1])) {
			street = 1
		}
		block := min(minBlock+rng.Float64()*(maxBlock-minBlock), math.Abs(left[street]))
		block = math.Copysign(block, left[street])
		left[street] -= block
		walked[street] += block
		path = append(path, offset(from, walked[0]*cos-walked[1]*sin, walked[0]*sin+walked[1]*cos))
	}
	path[len(path)-1] = to // without the rounding of all those steps
	return path
}

// walker is a rider on a route.
type walker struct {
	rng     *rand.Rand
	factor  float64 // how much faster than life
	path    []geo.Point
	next    int // the corner ahead
	at      geo.Point
	speed   float64 // m/s on this block, before factor
	waiting float64 // s left at a light
	heading float64 // degrees clockwise from north
}

// newWalker puts somebody at the beginning of a path.
func newWalker(rng *rand.Rand, path []geo.Point, factor float64) *walker {
	w := &walker{rng: rng, factor: factor, path: path, at: path[0], next: 1}
	w.setOff()
	return w
}

// arrived is true at the end of the path, where the walker stays.
func (w *walker) arrived() bool { return w.next >= len(w.path) }

// setOff begins a block: a speed for it, and the direction.
func (w *walker) setOff() {
	w.speed = minSpeed + w.rng.Float64()*(maxSpeed-minSpeed)
	if !w.arrived() {
		east, north := meters(w.at, w.path[w.next])
		w.heading = math.Mod(math.Atan2(east, north)*180/math.Pi+360, 360)
	}
}

// pace is how fast the walker moves now, in metres per second of the clock on the wall.
func (w *walker) pace() float64 {
	if w.arrived() || w.waiting > 0 {
		return 0
	}
	return min(w.speed*w.factor, topSpeed)
}

// walk moves on by so many seconds, round as many corners as that takes.
func (w *walker) walk(seconds float64) {
	for seconds > 0 && !w.arrived() {
		if w.waiting > 0 {
			rest := min(seconds, w.waiting)
			w.waiting -= rest
			seconds -= rest
			continue
		}
		east, north := meters(w.at, w.path[w.next])
		far := math.Hypot(east, north)
		if step := w.pace() * seconds; step < far-arrivalRadius {
			w.at = offset(w.at, east*step/far, north*step/far)
			return
		}
		seconds -= far / w.pace()
		w.corner()
	}
}

// corner turns into the next block, perhaps after a light.
func (w *walker) corner() {
	w.at = w.path[w.next]
	w.next++
	if !w.arrived() && w.rng.Float64() < lightChance {
		w.waiting = (minLight + w.rng.Float64()*(maxLight-minLight)) / w.factor
	}
	w.setOff()
}

// fix is where the phone of somebody at a place thinks they are, and how sure it is.
func fix(rng *rand.Rand, at geo.Point) (seen geo.Point, accuracy float64) {
	return offset(at, rng.NormFloat64()*gpsNoise, rng.NormFloat64()*gpsNoise), minAccuracy + rng.Float64()*(maxAccy-minAccuracy)
}
