package shard

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed data/cities.csv
var citiesCSV string

// Gazetteer finds cities by name. It is immutable and safe for concurrent use.
type Gazetteer struct {
	cities     []City             // largest first
	names      map[string][]entry // by the city file's names and the common names
	nicknames  map[string][]entry // by what is only tried when nobody has the name itself
	qualifiers map[string][]place
	byLength   [maxKey + 1][]candidate // what a typo may have meant
	sorted     []candidate             // by key, for prefixes
	regions    []Region
}

// entry is a city under one of its names: an index into cities, so that the
// smaller is the larger city.
type entry struct {
	city  int
	alias bool // by a common name and not the city file's own
}

// candidate is a name of a city as the searches look at it.
type candidate struct {
	key     string
	letters uint64
	city    int
}

// Cities gives the gazetteer of the embedded city file. It is built on first
// use, once.
func Cities() *Gazetteer { return embedded() }

var embedded = sync.OnceValue(func() *Gazetteer {
	cities, err := parseCities(citiesCSV)
	if err == nil {
		var g *Gazetteer
		if g, err = newGazetteer(cities); err == nil {
			return g
		}
	}
	// File and tables are compiled in and read by every test run: a fault in
	// them cannot reach an operator.
	panic(err)
})

// columns of the city file.
const (
	columnID = iota
	columnName
	columnState
	columnCountry
	columnLatitude
	columnLongitude
	columnPopulation
	columnRegion
)

func parseCities(text string) ([]City, error) {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("cities.csv: %w", err)
	}
	cities := make([]City, 0, len(records))
	for i, record := range records[1:] {
		city, err := parseCity(record)
		if err != nil {
			return nil, fmt.Errorf("cities.csv, line %d: %w", i+2, err)
		}
		cities = append(cities, city)
	}
	return cities, nil
}

func parseCity(record []string) (city City, err error) {
	city = City{
		Name:    record[columnName],
		State:   record[columnState],
		Country: record[columnCountry],
		Region:  Region(record[columnRegion]),
	}
	if city.ID, err = strconv.Atoi(record[columnID]); err != nil {
		return city, err
	}
	if city.Latitude, err = strconv.ParseFloat(record[columnLatitude], 64); err != nil {
		return city, err
	}
	if city.Longitude, err = strconv.ParseFloat(record[columnLongitude], 64); err != nil {
		return city, err
	}
	city.Population, err = strconv.Atoi(record[columnPopulation])
	return city, err
}

// newGazetteer indexes cities, which are sorted largest first.
func newGazetteer(cities []City) (*Gazetteer, error) {
	g := &Gazetteer{
		cities:     cities,
		names:      make(map[string][]entry, 2*len(cities)),
		nicknames:  map[string][]entry{},
		qualifiers: qualifiers(),
	}
	for i := range cities {
		own, short := namesOf(&cities[i])
		for _, name := range own {
			add(g.names, name, entry{city: i})
		}
		for _, name := range short {
			add(g.nicknames, name, entry{city: i, alias: true})
		}
		if !slices.Contains(g.regions, cities[i].Region) {
			g.regions = append(g.regions, cities[i].Region)
		}
	}
	slices.Sort(g.regions)
	if err := g.addAliases(); err != nil {
		return nil, err
	}
	g.index()
	return g, nil
}

// namesOf gives the keys of a city's name, and of the shorter names that follow
// from it.
func namesOf(city *City) (own, short []string) {
	name, inside, _ := strings.Cut(strings.TrimSuffix(city.Name, ")"), " (")
	name, _ = strings.CutPrefix(name, "City of ")
	// "St.Louis" without a space is one word, in which nothing is written out.
	own = []string{normalize(name), strings.ReplaceAll(fold(name), " ", ""), normalize(city.Name)}
	if inside != "" && inside != "balance" {
		short = append(short, normalize(inside))
	}
	if rest, found := strings.CutPrefix(own[0], "ciudad"); found && !strings.HasPrefix(name, "Ciudad de ") {
		short = append(short, rest)
	}
	return own, short
}

// add files a city under a key, largest first.
func add(index map[string][]entry, key string, e entry) {
	list := index[key]
	if slices.ContainsFunc(list, func(other entry) bool { return other.city == e.city }) {
		return
	}
	at, _ := slices.BinarySearchFunc(list, e, func(a, b entry) int { return a.city - b.city })
	index[key] = slices.Insert(list, at, e)
}

// addAliases adds the two tables. A line of them that names no city is an
// error.
func (g *Gazetteer) addAliases() error {
	for alias, target := range commonNames {
		city, err := g.named(target)
		if err != nil {
			return fmt.Errorf("common name %q: %w", alias, err)
		}
		add(g.names, normalize(alias), entry{city: city, alias: true})
	}
	for alias, target := range nicknames {
		city, err := g.named(target)
		if err != nil {
			return fmt.Errorf("nickname %q: %w", alias, err)
		}
		add(g.nicknames, normalize(alias), entry{city: city, alias: true})
	}
	return nil
}

// named finds the largest city with exactly this name and state, as the tables
// write it: "Portland, ME".
func (g *Gazetteer) named(target string) (int, error) {
	comma := strings.LastIndex(target, ", ")
	for i := range g.cities {
		if g.cities[i].Name == target[:comma] && g.cities[i].State == target[comma+2:] {
			return i, nil
		}
	}
	return 0, fmt.Errorf("no city %q", target)
}

// index makes what the searches by typo and by prefix go through.
func (g *Gazetteer) index() {
	for key, list := range g.names {
		for _, e := range list {
			c := candidate{key: key, letters: letters(key), city: e.city}
			g.sorted = append(g.sorted, c)
			if len(key) <= maxKey {
				g.byLength[len(key)] = append(g.byLength[len(key)], c)
			}
		}
	}
	slices.SortFunc(g.sorted, func(a, b candidate) int { return strings.Compare(a.key, b.key) })
	for _, list := range g.byLength {
		slices.SortFunc(list, func(a, b candidate) int { return a.city - b.city })
	}
}

// Regions lists the regions of the city file, sorted.
func (g *Gazetteer) Regions() []Region { return slices.Clone(g.regions) }
