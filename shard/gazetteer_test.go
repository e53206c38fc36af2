package shard_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/shard"
)

// hard is names as people write them, with the city and the way by which it
// must be found.
var hard = []struct{ name, city, via string }{
	// The city file's own names, in any dress.
	{"San Francisco", "San Francisco CA", "city"}, {"san-francisco", "San Francisco CA", "city"}, {"SAN_FRANCISCO", "San Francisco CA", "city"},
	{"  san   francisco  ", "San Francisco CA", "city"}, {"SanFrancisco", "San Francisco CA", "city"}, {"san.francisco", "San Francisco CA", "city"},
	{"montreal", "Montréal QC", "city"}, {"MONTRÉAL", "Montréal QC", "city"}, {"Montre\u0301al", "Montréal QC", "city"}, {"quebec", "Québec QC", "city"},
	{"Merida", "Mérida YUC", "city"}, {"Cancun", "Cancún ROO", "city"}, {"torreon", "Torreón COA", "city"}, {"Trois Rivieres", "Trois-Rivières QC", "city"},
	{"notre dame de grace", "Notre-Dame-de-Grâce QC", "city"}, {"Canon City", "Cañon City CO", "city"}, {"kihei", "Kīhei HI", "city"},
	{"ewa gentry", "‘Ewa Gentry HI", "city"}, {"coeur d’alene", "Coeur d'Alene ID", "city"}, {"Coeur dAlene", "Coeur d'Alene ID", "city"},
	{"val d'or", "Val-d'Or QC", "city"}, {"Town and Country", "Town 'n' Country FL", "typo"}, {"O'Fallon", "O'Fallon MO", "city"}, {"ofallon", "O'Fallon MO", "city"},
	{"Winston Salem", "Winston-Salem NC", "city"}, {"lee's summit", "Lee's Summit MO", "city"}, {"Lees Summit", "Lee's Summit MO", "city"},
	{"l'assomption", "L'Assomption QC", "city"}, {"Ciudad Obregón", "Ciudad Obregón SON", "city"},
	// Abbreviations.
	{"St. Louis", "St. Louis MO", "city"}, {"St Louis", "St. Louis MO", "city"}, {"Saint Louis", "St. Louis MO", "city"}, {"St.Louis", "St. Louis MO", "city"},
	{"St Paul", "Saint Paul MN", "city"}, {"Saint Petersburg", "St. Petersburg FL", "city"}, {"St Catharines", "St. Catharines ON", "city"},
	{"Saint John's", "St. John's NL", "city"}, {"St. John", "Saint John NB", "city"}, {"Ste-Thérèse", "Sainte-Thérèse QC", "city"}, {"St-Jérôme", "Saint-Jérôme QC", "city"},
	{"Ft. Worth", "Fort Worth TX", "city"}, {"Ft Lauderdale", "Fort Lauderdale FL", "city"}, {"ft-wayne", "Fort Wayne IN", "city"}, {"Fort Saint John", "Fort St. John BC", "city"},
	{"Mt. Vernon", "Mount Vernon NY", "city"}, {"Mt Pearl", "Mount Pearl NL", "city"}, {"Cd. Obregón", "Ciudad Obregón SON", "city"}, {"Cd. Victoria", "Ciudad Victoria TAM", "city"},
	{"Pto. Vallarta", "Puerto Vallarta JAL", "city"}, {"Port St Lucie", "Port Saint Lucie FL", "city"}, {"Sault Ste Marie", "Sault Ste. Marie ON", "city"},
	{"Sault Sainte Marie", "Sault Ste. Marie ON", "city"}, {"Sta. Catarina", "Santa Catarina NLE", "city"}, {"N. York", "North York ON", "alias"}, {"N. Vancouver", "North Vancouver BC", "alias"},
	{"W. Palm Beach", "West Palm Beach FL", "alias"}, {"N Las Vegas", "North Las Vegas NV", "alias"}, {"S. San Francisco", "South San Francisco CA", "alias"},
	{"N. Orleans", "New Orleans LA", "alias"}, {"S. Antonio", "San Antonio TX", "alias"}, {"L. Angeles", "Los Angeles CA", "alias"},
	// Nicknames, older and shorter names.
	{"SF", "San Francisco CA", "alias"}, {"nyc", "New York City NY", "alias"}, {"N.Y.C.", "New York City NY", "alias"}, {"New York", "New York City NY", "alias"},
	{"LA", "Los Angeles CA", "alias"}, {"L.A.", "Los Angeles CA", "alias"}, {"CDMX", "Mexico City CMX", "alias"}, {"D.F.", "Mexico City CMX", "alias"},
	{"Ciudad de México", "Mexico City CMX", "alias"}, {"México", "Mexico City CMX", "alias"}, {"Philly", "Philadelphia PA", "alias"}, {"Vegas", "Las Vegas NV", "alias"},
	{"NOLA", "New Orleans LA", "alias"}, {"TO", "Toronto ON", "alias"}, {"MTL", "Montréal QC", "alias"}, {"GDL", "Guadalajara JAL", "alias"}, {"MTY", "Monterrey NLE", "alias"},
	{"TJ", "Tijuana BCN", "alias"}, {"DC", "Washington, D.C. DC", "alias"}, {"Washington", "Washington, D.C. DC", "alias"}, {"The Bronx", "The Bronx NY", "city"}, {"bronx", "The Bronx NY", "alias"},
	{"Quebec City", "Québec QC", "alias"}, {"Ville de Québec", "Québec QC", "alias"}, {"Ciudad Juárez", "Juárez CHH", "alias"}, {"Cd Juarez", "Juárez CHH", "alias"},
	{"Acapulco", "Acapulco de Juárez GRO", "alias"}, {"León", "León de los Aldama GUA", "alias"}, {"Querétaro", "Santiago de Querétaro QUE", "alias"}, {"Xalapa", "Xalapa de Enríquez VER", "alias"},
	{"Lexington", "Lexington-Fayette KY", "alias"}, {"Salt Lake", "Salt Lake City UT", "alias"}, {"Oklahoma", "Oklahoma City OK", "alias"}, {"City of Chicago", "Chicago IL", "alias"},
	{"Sudbury", "Greater Sudbury ON", "alias"}, {"PDX", "Portland OR", "alias"}, {"St Pete", "St. Petersburg FL", "alias"}, {"Indy", "Indianapolis IN", "alias"},
	// Ambiguous: the largest.
	{"Portland", "Portland OR", "city"}, {"Springfield", "Springfield MO", "city"}, {"Columbus", "Columbus OH", "city"}, {"Victoria", "Victoria BC", "city"},
	{"Guadalupe", "Guadalupe NLE", "city"}, {"Kansas City", "Kansas City MO", "city"}, {"Richmond", "Richmond VA", "city"}, {"Aurora", "Aurora CO", "city"},
	// With a state, a province, a country.
	{"Portland, ME", "Portland ME", "city"}, {"Portland Maine", "Portland ME", "city"}, {"portland-me", "Portland ME", "city"}, {"Portland (Maine)", "Portland ME", "city"},
	{"Portland, Maine, USA", "Portland ME", "city"}, {"Portland ME 04101", "Portland ME", "city"}, {"London, ON", "London ON", "city"}, {"London Ontario", "London ON", "city"},
	{"London, Ont., Canada", "London ON", "city"}, {"Kansas City KS", "Kansas City KS", "city"}, {"Springfield, Illinois", "Springfield IL", "city"},
	{"Columbus, Ga.", "Columbus GA", "city"}, {"Ontario, CA", "Ontario CA", "city"}, {"Vancouver, CA", "Vancouver BC", "city"}, {"Vancouver, WA", "Vancouver WA", "city"},
	{"Vancouver, B.C.", "Vancouver BC", "city"}, {"Tijuana, B.C.", "Tijuana BCN", "city"}, {"La Paz, BCS", "La Paz BCS", "city"}, {"Monterrey, N.L.", "Monterrey NLE", "city"},
	{"St. John's, NL", "St. John's NL", "city"}, {"Guadalupe, Zacatecas", "Guadalupe ZAC", "city"}, {"Mérida, Yuc.", "Mérida YUC", "city"}, {"Toronto ON M5V 2T6", "Toronto ON", "city"},
	{"Washington, D.C.", "Washington, D.C. DC", "alias"}, {"New York, New York", "New York City NY", "alias"}, {"New York, NY, USA", "New York City NY", "alias"},
	{"Victoria, Tamps.", "Ciudad Victoria TAM", "alias"}, {"Lexington, MA", "Lexington MA", "city"}, {"Durango, CO", "Durango CO", "city"}, {"Durango, Dgo.", "Victoria de Durango DUR", "alias"},
	{"Charleston West Virginia", "Charleston WV", "city"}, {"Charleston, South Carolina", "Charleston SC", "city"}, {"Halifax Nova Scotia", "Halifax NS", "city"}, {"Naucalpan, Edo. Mex.", "Naucalpan de Juárez MEX", "alias"},
	// Typos.
	{"San Fransisco", "San Francisco CA", "typo"}, {"Los Angelas", "Los Angeles CA", "typo"}, {"Philidelphia", "Philadelphia PA", "typo"}, {"Albequerque", "Albuquerque NM", "typo"},
	{"Cincinatti", "Cincinnati OH", "typo"}, {"Pittsburg, PA", "Pittsburgh PA", "typo"}, {"Tuscon", "Tucson AZ", "typo"}, {"Huston", "Houston TX", "typo"}, {"Minnapolis", "Minneapolis MN", "typo"},
	{"Indianopolis", "Indianapolis IN", "typo"}, {"Sacremento", "Sacramento CA", "typo"}, {"Seatle", "Seattle WA", "typo"}, {"Bostn", "Boston MA", "typo"}, {"Chciago", "Chicago IL", "typo"},
	{"Tornto", "Toronto ON", "typo"}, {"Calgery", "Calgary AB", "typo"}, {"Vancuver", "Vancouver BC", "typo"}, {"Otawa", "Ottawa ON", "typo"}, {"Montrael", "Montréal QC", "typo"},
	{"Guadalahara", "Guadalajara JAL", "typo"}, {"Monterey, Mexico", "Monterrey NLE", "typo"}, {"Acapulko de Juarez", "Acapulco de Juárez GRO", "typo"}, {"Portlnd, ME", "Portland ME", "typo"},
	// Not ours, or too far from anything.
	{"Atlantis", "", ""}, {"Gotham", "", ""}, {"Nowhere", "", ""}, {"Paris, France", "", ""}, {"Tokyo", "", ""}, {"Marfa, TX", "", ""}, {"Chicago, Texas", "", ""}, {"X", "", ""}, {"", "", ""},
	{"!!!", "", ""}, {"東京", "", ""}, {"Xyzzy", "", ""}, {"12345", "", ""}, {strings.Repeat("san francisco ", 50), "", ""},
}

func TestHardNames(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, len(hard), 100)
	for _, tc := range hard {
		match, found := shard.Cities().Lookup(tc.name)
		if tc.city == "" {
			require.False(t, found, "%q is %s %s by %s", tc.name, match.City.Name, match.City.State, match.Via)
			continue
		}
		require.True(t, found, "%q is not found", tc.name)
		require.Equal(t, tc.city+" by "+tc.via, match.City.Name+" "+match.City.State+" by "+match.Via, "%q", tc.name)
	}
}

func TestEveryCityIsFoundByNameAndState(t *testing.T) {
	t.Parallel()
	g := shard.Cities()
	require.Equal(t, []shard.Region{"ca", "mx", "us-central", "us-east", "us-south", "us-west"}, g.Regions())
	cities := g.Search("", 10_000)
	require.Len(t, cities, 4132)
	for _, city := range cities {
		for _, name := range []string{city.Name + ", " + city.State, city.Name + " " + city.State + " " + city.Country, strings.ToUpper(city.Name) + ", " + city.State} {
			match, found := g.Lookup(name)
			require.True(t, found, name)
			require.Equal(t, city.State, match.City.State, name)
			require.Equal(t, city.Region, match.City.Region, name)
			require.GreaterOrEqual(t, match.City.Population, city.Population, "%s: of several in a state the largest", name)
		}
	}
}

func TestOneWrongLetterInABigCityIsForgiven(t *testing.T) {
	t.Parallel()
	big := shard.Cities().Search("", 150)
	rapid.Check(t, func(t *rapid.T) {
		city := rapid.SampledFrom(big).Draw(t, "city")
		name := []rune(city.Name)
		at := rapid.IntRange(1, len(name)-2).Draw(t, "at")
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			name[at], name[at+1] = name[at+1], name[at]
		case 1:
			name = append(name[:at], name[at+1:]...)
		default:
			name = append(name[:at], append([]rune{'z'}, name[at:]...)...)
		}
		match, found := shard.Cities().Lookup(string(name) + ", " + city.State)
		if len(name) < 8 {
			return // short names with a wrong letter may be another word
		}
		require.True(t, found, "%s of %s", string(name), city.Name)
		require.Equal(t, city.Region, match.City.Region, "%s of %s is %s", string(name), city.Name, match.City.Name)
	})
}

func TestSearchSuggestsTheLargestFirst(t *testing.T) {
	t.Parallel()
	g := shard.Cities()
	names := func(cities []shard.City) (list []string) {
		for _, city := range cities {
			list = append(list, city.Name+" "+city.State)
		}
		return list
	}
	for prefix, want := range map[string][]string{
		"san f":  {"San Francisco CA", "San Fernando TAM"},
		"St. Lo": {"St. Louis MO", "Saint Louis Park MN"},
		"montré": {"Montréal QC"},
		"nyc":    {"New York City NY"},
		"zzz":    nil,
	} {
		got := names(g.Search(prefix, 20))
		for i, name := range want {
			require.Contains(t, got, name, "%q gives %v", prefix, got)
			if i == 0 {
				require.Equal(t, name, got[0], prefix)
			}
		}
		require.Equal(t, len(want) == 0, len(got) == 0, prefix)
	}
	require.Equal(t, []string{"Mexico City CMX", "New York City NY", "Los Angeles CA"}, names(g.Search("", 3)))
	require.Empty(t, g.Search("a", 0))
	list := g.Search("s", 100)
	require.IsDecreasing(t, append([]int{1 << 30}, populations(list)...))
}

func populations(cities []shard.City) (list []int) {
	last := 1 << 30
	for _, city := range cities {
		if city.Population == last { // equal neighbours are in order too
			continue
		}
		last = city.Population
		list = append(list, last)
	}
	return list
}

func FuzzLookup(f *testing.F) {
	for _, tc := range hard {
		f.Add(tc.name)
	}
	g := shard.Cities()
	router := newRouter(f)
	f.Fuzz(func(t *testing.T, name string) {
		match, found := g.Lookup(name)
		route := router.RouteCity(name)
		require.Equal(t, found, route.City != nil)
		require.NotEmpty(t, route.Shard)
		if found {
			require.Equal(t, match.City.Region, route.Region)
			require.Equal(t, match.Via, route.Via)
		}
		require.Equal(t, route, router.RouteCity(name), "routing is deterministic")
		g.Search(name, 5)
	})
}

func BenchmarkLookup(b *testing.B) {
	g := shard.Cities()
	for _, name := range []string{"San Francisco", "Montréal", "Portland, ME", "NYC", "San Fransisco", "Cincinatti", "Nonexistent City"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.Lookup(name)
			}
		})
	}
}

func BenchmarkSearch(b *testing.B) {
	g := shard.Cities()
	b.ReportAllocs()
	for b.Loop() {
		g.Search("san", 10)
	}
}
