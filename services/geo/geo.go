// Package geo computes distances on the earth, taken as a sphere: well within what a street adds to a straight line.
//
// Invariant: the chord between two unit vectors grows with the great-circle distance between their points, so whatever
// is nearest in space is nearest on the ground, everywhere, also across the poles and the date line.
package geo

import "math"

// EarthRadiusKm is the mean radius of the earth.
const EarthRadiusKm = 6371.0088

// Point is a place in degrees, WGS 84.
type Point struct{ Latitude, Longitude float64 }

// Unit gives the point on the sphere of radius one: x to the meridian of Greenwich, z to the north.
func (p Point) Unit() (x, y, z float64) {
	lat, lon := p.Latitude*math.Pi/180, p.Longitude*math.Pi/180
	return math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)
}

// DistanceKm is the great-circle distance between two points in kilometres. The haversine form keeps its precision for
// neighbours, where the arc cosine of a product would have none left.
func DistanceKm(a, b Point) float64 {
	lat1, lat2 := a.Latitude*math.Pi/180, b.Latitude*math.Pi/180
	sinLat := math.Sin((lat2 - lat1) / 2)
	sinLon := math.Sin((b.Longitude - a.Longitude) * math.Pi / 360)
	h := sinLat*sinLat + math.Cos(lat1)*math.Cos(lat2)*sinLon*sinLon
	return 2 * EarthRadiusKm * math.Asin(math.Sqrt(min(1, h)))
}

// Chord is the straight line through the unit sphere between two points that are km apart on the ground. Distances of
// half the earth's girth and more give the diameter.
func Chord(km float64) float64 {
	return 2 * math.Sin(min(km/EarthRadiusKm, math.Pi)/2)
}
