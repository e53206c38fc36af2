package shard

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryStateOfTheCityFileCanBeNamed: by its code, and by at least one name.
func TestEveryStateOfTheCityFileCanBeNamed(t *testing.T) {
	t.Parallel()
	for _, city := range Cities().cities {
		names := states[city.Country][city.State]
		require.NotEmpty(t, names, "%s, %s", city.State, city.Country)
		for _, name := range append([]string{city.State}, names...) {
			require.Contains(t, Cities().qualifiers[normalize(name)], place{city.Country, city.State}, name)
		}
	}
}

func TestWordsThatMeanSeveralPlaces(t *testing.T) {
	t.Parallel()
	g := Cities()
	for name, want := range map[string][]place{
		"CA":               {{"US", "CA"}, {"CA", ""}},
		"BC":               {{"CA", "BC"}, {"MX", "BCN"}},
		"NL":               {{"CA", "NL"}, {"MX", "NLE"}},
		"Mexico":           {{"MX", ""}},
		"Estado de México": {{"MX", "MEX"}},
		"MEX":              {{"MX", "MEX"}, {"MX", ""}},
		"Washington":       {{"US", "WA"}},
		"New York":         {{"US", "NY"}},
		"Ontario, Canada":  {{"CA", "ON"}},
		"Texas USA":        {{"US", "TX"}},
	} {
		require.Equal(t, want, g.qualifiers[normalize(name)], name)
	}
}

// TestStatesGoBeforeCountries: "Ontario, CA" is in California as long as
// California has one.
func TestStatesGoBeforeCountries(t *testing.T) {
	t.Parallel()
	for name, places := range Cities().qualifiers {
		firstCountry := slices.IndexFunc(places, func(p place) bool { return p.state == "" })
		if firstCountry < 0 {
			continue
		}
		require.False(t, slices.ContainsFunc(places[firstCountry:], func(p place) bool { return p.state != "" }), name)
	}
}

func TestPlacesAdmitTheirCities(t *testing.T) {
	t.Parallel()
	portland := &City{Name: "Portland", State: "ME", Country: "US"}
	require.True(t, place{"US", "ME"}.admits(portland))
	require.True(t, place{"US", ""}.admits(portland))
	require.False(t, place{"US", "OR"}.admits(portland))
	require.False(t, place{"CA", ""}.admits(portland))
	require.False(t, place{"MX", "ME"}.admits(portland))
}

// TestAliasesNameCitiesThatExist: the tables are checked when the gazetteer is
// built, and this says which line is wrong.
func TestAliasesNameCitiesThatExist(t *testing.T) {
	t.Parallel()
	g := Cities()
	for _, table := range []map[string]string{commonNames, nicknames} {
		for alias, target := range table {
			index, err := g.named(target)
			require.NoError(t, err, alias)
			match, found := g.Lookup(alias)
			require.True(t, found, alias)
			if match.Via == ViaAlias {
				continue
			}
			// A real name goes before a nickname: then the table's line is for
			// those who add a state.
			match, found = g.Lookup(alias + ", " + g.cities[index].State)
			require.True(t, found, alias)
			require.Equal(t, g.cities[index].ID, match.City.ID, alias)
		}
	}
	_, err := g.named("Nowhere, XX")
	require.ErrorContains(t, err, "Nowhere, XX")
}

func TestTheCityFileIsSound(t *testing.T) {
	t.Parallel()
	cities := Cities().cities
	require.Len(t, cities, 4132)
	ids := map[int]bool{}
	for i, city := range cities {
		require.False(t, ids[city.ID], city.Name)
		ids[city.ID] = true
		require.True(t, i == 0 || cities[i-1].Population >= city.Population, "largest first: %s", city.Name)
		require.True(t, city.Latitude > 14 && city.Latitude < 72, city.Name)
		require.True(t, city.Longitude > -180 && city.Longitude < -50, city.Name)
		require.GreaterOrEqual(t, city.Population, 15_000)
		require.Regexp(t, regionPattern, string(city.Region))
	}
}

func TestABrokenCityFileIsRefusedWithItsLine(t *testing.T) {
	t.Parallel()
	const head = "geonameId,name,state,country,latitude,longitude,population,region\n"
	for name, line := range map[string]string{
		"id":         "x,A,CA,US,1,2,3,us-west\n",
		"latitude":   "1,A,CA,US,x,2,3,us-west\n",
		"longitude":  "1,A,CA,US,1,x,3,us-west\n",
		"population": "1,A,CA,US,1,2,x,us-west\n",
	} {
		_, err := parseCities(head + line)
		require.ErrorContains(t, err, "line 2", name)
	}
	_, err := parseCities(head + "1,A\n")
	require.ErrorContains(t, err, "cities.csv")
	cities, err := parseCities(head + "1,A,CA,US,1.5,-2.5,3,us-west\n")
	require.NoError(t, err)
	require.Equal(t, []City{{ID: 1, Name: "A", State: "CA", Country: "US", Latitude: 1.5, Longitude: -2.5, Population: 3, Region: "us-west"}}, cities)
	_, err = newGazetteer(cities)
	require.Error(t, err, "the aliases are of the real file")
}
