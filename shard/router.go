package shard

import (
	"crypto/tls"
	"strings"
	"sync/atomic"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Config names the shards and the regions each starts with.
type Config struct {
	Shards []ShardConfig
}

// ShardConfig is one shard: the values of POSTGRES_SHARD_<ID>_URL and
// SHARD_<ID>_REGIONS.
type ShardConfig struct {
	ID      string   // lower-case letter or word, such as "a"
	URL     string   // postgres:// URL
	Regions []string // may be empty: a shard that waits for regions to be moved to it

	// ReplicaURL is that of a streaming replica, which may answer what DB.Stale
	// asks; empty: there is none.
	ReplicaURL string

	ReplicaTLS *tls.Config `json:"-"` // as TLS, for the replica
	TLS        *tls.Config `json:"-"` // nil: as the URL's sslmode says; else required, whatever the URL says
}

// Route says where something lives and how that was found.
type Route struct {
	City   *City  // set when a city was recognised; shared, not to be changed
	Region Region // the home region
	Shard  string // the shard the region lives on now
	Via    string // one of the Via constants
}

// Router maps cities, ids and e-mail addresses to regions and regions to
// shards. It is safe for concurrent use. Region to shard may change while it
// runs, when a region is moved.
type Router struct {
	gazetteer    *Gazetteer
	shards       []string
	regions      []Region // sorted; the candidates of the hash
	emailRegions []Region // sorted; never grows with configuration, see RouteEmail
	codes        map[Region]uint16
	regionOfCode map[uint16]Region
	homes        atomic.Pointer[map[Region]string]
}

// RouteCity finds the home of a city by name. It never fails: a city that
// nobody knows has a home by hash.
func (r *Router) RouteCity(city string) Route {
	q := r.gazetteer.parse(city)
	index, via := r.gazetteer.find(q)
	if index < 0 {
		region := rendezvous(r.regions, q.hashKey())
		return Route{Region: region, Shard: r.home(region), Via: ViaHash}
	}
	found := &r.gazetteer.cities[index]
	return Route{City: found, Region: found.Region, Shard: r.home(found.Region), Via: via}
}

// RouteID finds the home of an id. It fails with ErrBadID when s is no id of
// this fleet.
func (r *Router) RouteID(id string) (Route, error) {
	region, err := r.RegionOf(id)
	if err != nil {
		return Route{}, err
	}
	return Route{Region: region, Shard: r.home(region), Via: ViaID}, nil
}

// RouteEmail finds the one place in the fleet where the uniqueness of an e-mail
// address is decided. Spellings that are the same address (case, Unicode form,
// IDNA) have the same home.
//
// The hash runs over the regions of the city file only. They never change, so
// that adding a region by configuration leaves every registered address where
// it was written.
func (r *Router) RouteEmail(email string) Route {
	region := rendezvous(r.emailRegions, foldEmail(email))
	return Route{Region: region, Shard: r.home(region), Via: ViaEmail}
}

// Shards lists the ids of all shards, sorted.
func (r *Router) Shards() []string { return append([]string(nil), r.shards...) }

// Regions lists all configured regions, sorted.
func (r *Router) Regions() []Region { return append([]Region(nil), r.regions...) }

// ShardOf gives the shard a region lives on now, and false for a region that is
// not configured.
func (r *Router) ShardOf(region Region) (string, bool) {
	shard, known := (*r.homes.Load())[region]
	return shard, known
}

// Cities gives the gazetteer the router uses.
func (r *Router) Cities() *Gazetteer { return r.gazetteer }

func (r *Router) home(region Region) string { return (*r.homes.Load())[region] }

// foldEmail is the form in which two spellings of one address are equal:
// trimmed, NFC, lower case, and the domain in its ASCII form. A domain that
// IDNA refuses is kept as it is: routing is total.
func foldEmail(email string) string {
	folded := strings.ToLower(norm.NFC.String(strings.TrimSpace(email)))
	at := strings.LastIndexByte(folded, '@')
	if domain, err := idna.Lookup.ToASCII(folded[at+1:]); err == nil {
		return folded[:at+1] + domain
	}
	return folded
}
