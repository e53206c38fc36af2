package shard

// Region names a part of the map that always lives on one shard as a whole,
// such as "us-west" or "mx". Valid regions are lower-case letters, digits and
// single hyphens, so that they are safe as a subject token.
type Region string

// City is one populated place of the embedded city file.
type City struct {
	ID         int     // GeoNames id
	Name       string  // as people there write it, with accents
	State      string  // postal or ISO 3166-2 code without the country: "CA", "ON", "JAL"
	Country    string  // ISO 3166-1 alpha-2: "US", "CA", "MX"
	Latitude   float64 // degrees north, WGS 84
	Longitude  float64 // degrees east, WGS 84
	Population int
	Region     Region
}

// The ways by which a name, an id or an address found its region. They are part
// of the command line's output.
const (
	ViaCity  = "city"  // the name of a city, up to case, accents and punctuation
	ViaAlias = "alias" // a nickname or an older name, such as "NYC" or "DF"
	ViaTypo  = "typo"  // a name a small typo away from a city's
	ViaID    = "id"    // the region inside an id
	ViaEmail = "email" // the home of an e-mail address's uniqueness
	ViaHash  = "hash"  // an unknown city, placed by consistent hash
)

// Match is a city found by name, and how it was found: ViaCity, ViaAlias or
// ViaTypo.
type Match struct {
	City City
	Via  string
}
