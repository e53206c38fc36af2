package shard

import "math/bits"

// Typos are judged by length: in a short name one letter makes another word, so
// only the big cities, which are what people mean, may be meant by a name that
// is one letter off.
const (
	shortestTypo = 5       // shorter names are taken as they are
	shortTypo    = 7       // from here on a town may be meant
	longTypo     = 9       // from here on two letters may be wrong
	bigCity      = 100_000 // inhabitants
	secondTypo   = 25_000  // inhabitants of a city that two wrong letters may mean
)

// allowance is how many letters of a name of that length may be wrong.
func allowance(length int) int {
	switch {
	case length < shortestTypo:
		return 0
	case length < longTypo:
		return 1
	default:
		return 2
	}
}

// plausible tells whether a city may be meant by a name with that many wrong
// letters. With a state at its side a name has few cities to be, and their size
// matters no more.
func plausible(length, distance int, city *City, qualified bool) bool {
	switch {
	case qualified:
		return true
	case length < shortTypo:
		return city.Population >= bigCity
	case distance > 1:
		return city.Population >= secondTypo
	default:
		return true
	}
}

// letters is the set of a key's letters and digits. Each wrong letter changes
// it by at most two, which rules out nearly every candidate without looking at
// it.
func letters(key string) uint64 {
	var set uint64
	for i := range len(key) {
		set |= 1 << (key[i] & 63)
	}
	return set
}

// mayBeWithin tells whether two keys with these sets of letters can be within
// that distance at all.
func mayBeWithin(a, b uint64, distance int) bool { return bits.OnesCount64(a^b) <= 2*distance }

// maxKey bounds the keys that are compared: longer ones are no typos of a city.
const maxKey = 48

// editDistance is the number of letters inserted, left out, replaced or swapped
// with their neighbour (Damerau's optimal string alignment) between a and b, or
// limit+1 as soon as it is known to be more than limit.
func editDistance(a, b string, limit int) int {
	if len(a) > maxKey || len(b) > maxKey || len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	var rows [3][maxKey + 1]int
	before, above, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			best = min(best, row[j])
		}
		if best > limit {
			return limit + 1
		}
		before, above, row = above, row, before
	}
	return min(above[len(b)], limit+1)
}
