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
	cities  []City // largest first
	byName  map[string]int
	regions []Region
}

// Cities gives the gazetteer of the embedded city file. It is built on first use, once.
func Cities() *Gazetteer { return embedded() }

var embedded = sync.OnceValue(func() *Gazetteer {
	cities, err := parseCities(citiesCSV)
	if err != nil {
		// The file is compiled in and parsed by every test run: a fault in it cannot reach an operator.
		panic(err)
	}
	return newGazetteer(cities)
})

func parseCities(text string) ([]City, error) {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("cities.csv: %w", err)
	}
	cities := make([]City, 0, len(records))
	for _, record := range records[1:] {
		city := City{Name: record[1], State: record[2], Country: record[3], Region: Region(record[7])}
		if city.ID, err = strconv.Atoi(record[0]); err != nil {
			return nil, fmt.Errorf("cities.csv: %w", err)
		}
		if city.Latitude, err = strconv.ParseFloat(record[4], 64); err != nil {
			return nil, fmt.Errorf("cities.csv: %w", err)
		}
		if city.Longitude, err = strconv.ParseFloat(record[5], 64); err != nil {
			return nil, fmt.Errorf("cities.csv: %w", err)
		}
		if city.Population, err = strconv.Atoi(record[6]); err != nil {
			return nil, fmt.Errorf("cities.csv: %w", err)
		}
		cities = append(cities, city)
	}
	return cities, nil
}

func newGazetteer(cities []City) *Gazetteer {
	g := &Gazetteer{cities: cities, byName: make(map[string]int, len(cities))}
	for i, city := range cities {
		key := normalize(city.Name)
		if _, taken := g.byName[key]; !taken {
			g.byName[key] = i
		}
		if !slices.Contains(g.regions, city.Region) {
			g.regions = append(g.regions, city.Region)
		}
	}
	slices.Sort(g.regions)
	return g
}

// Lookup finds the city a name means. A bare name that several cities share means the largest of them.
func (g *Gazetteer) Lookup(name string) (Match, bool) {
	i, found := g.byName[normalize(name)]
	if !found {
		return Match{}, false
	}
	return Match{City: g.cities[i], Via: ViaCity}, true
}

// Search lists up to limit cities whose name begins with prefix, largest first.
func (g *Gazetteer) Search(prefix string, limit int) []City {
	key := normalize(prefix)
	var found []City
	for _, city := range g.cities {
		if len(found) == limit {
			break
		}
		if strings.HasPrefix(normalize(city.Name), key) {
			found = append(found, city)
		}
	}
	return found
}

// Regions lists the regions of the city file, sorted.
func (g *Gazetteer) Regions() []Region { return slices.Clone(g.regions) }
