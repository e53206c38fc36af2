package shard

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// reference is the distance as the textbook has it, without limits and
// shortcuts.
func reference(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 2, 0},
		{"abc", "abc", 2, 0},
		{"abc", "", 3, 3},
		{"", "abc", 3, 3},
		{"houston", "huston", 2, 1},
		{"houston", "houstonn", 2, 1},
		{"houston", "hauston", 2, 1},
		{"tuscon", "tucson", 2, 1},
		{"chciago", "chicago", 1, 1},
		{"cincinatti", "cincinnati", 2, 2},
		{"cincinatti", "cincinnati", 1, 2},
		{"boston", "austin", 2, 3},
		{"abcd", "badc", 2, 2},
		{strings.Repeat("a", maxKey+1), strings.Repeat("a", maxKey+1), 2, 3},
	} {
		require.Equal(t, tc.want, editDistance(tc.a, tc.b, tc.limit), "%q to %q", tc.a, tc.b)
		require.Equal(t, tc.want, editDistance(tc.b, tc.a, tc.limit), "%q to %q", tc.b, tc.a)
	}
}

func TestEditDistanceIsTheTextbooksUpToItsLimit(t *testing.T) {
	t.Parallel()
	words := rapid.StringMatching(`[a-d]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := words.Draw(t, "a"), words.Draw(t, "b")
		limit := rapid.IntRange(0, 4).Draw(t, "limit")
		require.Equal(t, min(reference(a, b), limit+1), editDistance(a, b, limit))
	})
}

// TestTheSieveLetsEveryTypoThrough: a candidate ruled out by its letters is
// never one within the distance.
func TestTheSieveLetsEveryTypoThrough(t *testing.T) {
	t.Parallel()
	words := rapid.StringMatching(`[a-f0-3]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := words.Draw(t, "a"), words.Draw(t, "b")
		if distance := reference(a, b); !mayBeWithin(letters(a), letters(b), distance) {
			t.Fatalf("%q and %q are %d apart and ruled out", a, b, distance)
		}
	})
}

func TestAllowanceGrowsWithTheName(t *testing.T) {
	t.Parallel()
	var got []int
	for length := range 14 {
		got = append(got, allowance(length))
	}
	require.Equal(t, []int{0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2}, got)
	require.True(t, slices.IsSorted(got))
}

func TestShortNamesMeanBigCitiesOnly(t *testing.T) {
	t.Parallel()
	village, town, city := &City{Population: 16_000}, &City{Population: 60_000}, &City{Population: 600_000}
	for _, tc := range []struct {
		length, distance int
		city             *City
		qualified, want  bool
	}{
		{5, 1, city, false, true},
		{5, 1, town, false, false},
		{5, 1, village, true, true},
		{7, 1, village, false, true},
		{9, 2, village, false, false},
		{9, 2, town, false, true},
		{9, 2, village, true, true},
	} {
		require.Equal(t, tc.want, plausible(tc.length, tc.distance, tc.city, tc.qualified),
			"%d letters, %d wrong, %d people", tc.length, tc.distance, tc.city.Population)
	}
}

// TestNearestIsTheNearest compares the search with its sieves to a plain look
// at every name.
func TestNearestIsTheNearest(t *testing.T) {
	t.Parallel()
	g := Cities()
	rapid.Check(t, func(t *rapid.T) {
		key := []byte(rapid.SampledFrom(g.sorted).Draw(t, "name").key)
		for range rapid.IntRange(0, 2).Draw(t, "wrong letters") {
			at := rapid.IntRange(0, len(key)-1).Draw(t, "at")
			key[at] = byte(rapid.IntRange('a', 'z').Draw(t, "letter"))
		}
		r := reading{key: string(key)}
		require.Equal(t, g.plainNearest(r.key), g.nearest(r), "%s", key)
	})
}

// plainNearest looks at every name.
func (g *Gazetteer) plainNearest(key string) int {
	limit, best := allowance(len(key)), -1
	if limit == 0 || len(key) > maxKey-limit {
		return -1
	}
	fewest := limit + 1
	for _, c := range g.sorted {
		distance := reference(key, c.key)
		if distance > limit || !plausible(len(key), distance, &g.cities[c.city], false) {
			continue
		}
		if distance < fewest || distance == fewest && c.city < best {
			fewest, best = distance, c.city
		}
	}
	return best
}
