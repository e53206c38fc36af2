package shard

import (
	"slices"
	"strings"
)

// Lookup finds the city a name means: the name of a city, up to case, accents,
// punctuation and common abbreviations; with a state, province or country after
// it; a nickname; or any of these with a small typo. Of several cities with one
// name the largest is meant.
func (g *Gazetteer) Lookup(name string) (Match, bool) {
	q := g.parse(name)
	index, via := g.find(q)
	if index < 0 {
		return Match{}, false
	}
	return Match{City: g.cities[index], Via: via}, true
}

// maxName bounds the names that are looked at: a longer text is no city, and
// not worth the work.
const maxName = 200

// query is a name on its way to a city: the ways to understand its words, all
// of them as a name, or the last few as where it is.
type query []reading

// reading is a name's key, and the places its city may be in, in order of
// preference; none for anywhere.
type reading struct {
	words  []string
	key    string
	places []place
}

// parse finds the readings of a name. What stands behind a comma or in brackets
// is a place if it can be one; without them the whole is a name first, and its
// tail a place second ("Kansas City" is no city in City).
func (g *Gazetteer) parse(name string) query {
	if len(name) > maxName {
		return nil
	}
	cut := strings.IndexAny(name, ",(;/|")
	if cut > 0 {
		if left, places := words(name[:cut]), g.places(words(name[cut:])); len(left) > 0 && len(places) > 0 {
			return query{{left, strings.Join(left, ""), places}}
		}
	}
	all := words(name)
	q := query{{all, strings.Join(all, ""), nil}}
	for n := 1; n < len(all); n++ {
		if places := g.places(all[n:]); len(places) > 0 {
			q = append(q, reading{all[:n], strings.Join(all[:n], ""), places})
		}
	}
	return q
}

// places gives what words behind a city's name can mean. A postal code behind
// them changes nothing: "ME 04101", "ON M5V 2T6".
func (g *Gazetteer) places(list []string) []place {
	for len(list) > 1 && strings.ContainsAny(list[len(list)-1], "0123456789") {
		list = list[:len(list)-1]
	}
	return g.qualifiers[strings.Join(list, "")]
}

// find gives the index of the city a query means, or -1. Every reading is tried
// exactly before any is tried with a typo.
func (g *Gazetteer) find(q query) (city int, via string) {
	for _, r := range q {
		if e, found := g.exact(r); found {
			if e.alias {
				return e.city, ViaAlias
			}
			return e.city, ViaCity
		}
	}
	for _, r := range q {
		if city := g.nearest(r); city >= 0 {
			return city, ViaTypo
		}
	}
	return -1, ""
}

// exact finds a reading by name, by nickname, and by the variants of a name
// that people use.
func (g *Gazetteer) exact(r reading) (entry, bool) {
	if e, found := g.pick(g.names[r.key], r.places); found {
		return e, true
	}
	if e, found := g.pick(g.nicknames[r.key], r.places); found {
		return e, true
	}
	for _, variant := range variants(r.words) {
		if e, found := g.pick(g.names[variant], r.places); found {
			return entry{city: e.city, alias: true}, true
		}
	}
	return entry{}, false
}

// pick takes the largest city of a name, in the first place that has one.
func (g *Gazetteer) pick(list []entry, places []place) (entry, bool) {
	if len(places) == 0 && len(list) > 0 {
		return list[0], true
	}
	for _, p := range places {
		for _, e := range list {
			if p.admits(&g.cities[e.city]) {
				return e, true
			}
		}
	}
	return entry{}, false
}

func admitted(places []place, city *City) bool {
	return len(places) == 0 || slices.ContainsFunc(places, func(p place) bool { return p.admits(city) })
}

// initials are what a letter in front of a name may stand for, likeliest first.
var initials = map[string][]string{
	"n": {"north", "new", "nuevo", "nueva"},
	"s": {"south", "san", "saint", "santa"},
	"e": {"east", "el"},
	"w": {"west"},
	"l": {"los", "las", "la"},
}

// ornaments are what people and offices put in front of a name that has none
// in the city file.
var ornaments = []string{
	"cityof", "townof", "villede", "ciudadde", "ciudad", "the", "greater", "downtown", "heroica",
}

// variants gives other keys a name may be known by: without or with "City",
// "Ciudad" and "The", with an initial written out.
func variants(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	key := strings.Join(list, "")
	var keys []string
	if len(list) > 1 {
		for _, long := range initials[list[0]] {
			keys = append(keys, long+strings.Join(list[1:], ""))
		}
	}
	for _, prefix := range ornaments {
		if rest, found := strings.CutPrefix(key, prefix); found && rest != "" {
			keys = append(keys, rest)
		}
	}
	if rest, found := strings.CutSuffix(key, "city"); found && rest != "" {
		keys = append(keys, rest)
	}
	return append(keys, key+"city", "ciudad"+key, "the"+key)
}

// nearest gives the city whose name is the fewest letters away from a
// reading's, the largest of equals, or -1.
func (g *Gazetteer) nearest(r reading) int {
	limit := allowance(len(r.key))
	if limit == 0 || len(r.key) > maxKey-limit {
		return -1
	}
	set, best, fewest := letters(r.key), -1, limit+1
	for length := len(r.key) - limit; length <= len(r.key)+limit; length++ {
		for _, c := range g.byLength[length] {
			city := &g.cities[c.city]
			if !mayBeWithin(set, c.letters, limit) || !admitted(r.places, city) {
				continue
			}
			distance := editDistance(r.key, c.key, min(limit, fewest))
			if distance > fewest || distance == fewest && c.city > best {
				continue
			}
			if distance <= limit && plausible(len(r.key), distance, city, len(r.places) > 0) {
				best, fewest = c.city, distance
			}
		}
	}
	return best
}

// hashKey is the form in which two spellings of an unknown city are the same:
// its words, and its state's code if it names one, so that "Marfa, Texas" and
// "marfa tx" share a home.
func (q query) hashKey() string {
	if len(q) == 0 {
		return ""
	}
	for _, r := range q {
		// The first that names a place names the whole of it: "new mexico", not
		// a town called New in Mexico.
		if len(r.places) > 0 {
			return r.key + "," + r.places[0].country + r.places[0].state
		}
	}
	return q[0].key
}

// Search lists up to limit cities one of whose names begins with prefix,
// largest first. It is what a field with suggestions asks at every key; an
// empty prefix gives the largest cities.
func (g *Gazetteer) Search(prefix string, limit int) []City {
	list := strings.Fields(fold(prefix))
	if unfinished := len(list) - 1; unfinished >= 0 && !strings.HasSuffix(prefix, " ") {
		// The last word may go on, so it is not taken for an abbreviation: "St"
		// may become "Stockton".
		list = append(writeOut(list[:unfinished]), list[unfinished])
	} else {
		list = writeOut(list)
	}
	key := strings.Join(list, "")
	var found []int
	for _, e := range g.nicknames[key] {
		found = append(found, e.city)
	}
	from, _ := slices.BinarySearchFunc(g.sorted, key, func(c candidate, key string) int {
		return strings.Compare(c.key, key)
	})
	for _, c := range g.sorted[from:] {
		if !strings.HasPrefix(c.key, key) {
			break
		}
		found = append(found, c.city)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	cities := make([]City, 0, min(limit, len(found)))
	for _, index := range found[:min(limit, len(found))] {
		cities = append(cities, g.cities[index])
	}
	return cities
}
