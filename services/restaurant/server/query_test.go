package server

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/geo"
	"tiffin/services/restaurant"
)

// rowAt is a restaurant made for queries.
func rowAt(n int, name, cuisine string, at geo.Point) row {
	r, err := newRow(restaurant.Restaurant{
		ID: objectID(n).Hex(), Name: name, Cuisine: cuisine, Address: "Market St", IsActive: n%2 == 0,
		Latitude: at.Latitude, Longitude: at.Longitude,
	})
	if err != nil {
		panic(err) // of the test's own making
	}
	return r
}

func walk(rows []row) iter.Seq2[*row, error] { return (&listing{rows: rows}).all() }

func pageOf(t *testing.T, req restaurant.ListRequest, rows []row) restaurant.ListResponse {
	t.Helper()
	q, err := newQuery(req)
	require.NoError(t, err)
	res, err := q.page(walk(rows))
	require.NoError(t, err)
	return res
}

func TestQueriesMatch(t *testing.T) {
	t.Parallel()
	sf := geo.Point{Latitude: 37.77, Longitude: -122.42}
	rows := []row{
		rowAt(1, "La Taquería", "Mexican", sf), rowAt(2, "Joe's Café-Bar", "American", sf),
		rowAt(3, "Crêperie Bretonne", "French", sf), rowAt(4, "Taco Zone", "mexicán", sf),
	}
	for name, tc := range map[string]struct {
		req  restaurant.ListRequest
		want []string
	}{
		"everything, by name":         {restaurant.ListRequest{}, []string{"Crêperie Bretonne", "Joe's Café-Bar", "La Taquería", "Taco Zone"}},
		"without accents":             {restaurant.ListRequest{Q: "taqueria"}, []string{"La Taquería"}},
		"with accents and case":       {restaurant.ListRequest{Q: "TAQUERÍA"}, []string{"La Taquería"}},
		"part of a word":              {restaurant.ListRequest{Q: "taq"}, []string{"La Taquería"}},
		"all words, in any order":     {restaurant.ListRequest{Q: "bar joes"}, []string{"Joe's Café-Bar"}},
		"a word too many":             {restaurant.ListRequest{Q: "joes pizza"}, []string{}},
		"words of cuisine":            {restaurant.ListRequest{Q: "french"}, []string{"Crêperie Bretonne"}},
		"words of the address":        {restaurant.ListRequest{Q: "market taco"}, []string{"Taco Zone"}},
		"not across fields":           {restaurant.ListRequest{Q: "zonemexican"}, []string{}},
		"nothing but punctuation":     {restaurant.ListRequest{Q: "!?"}, []string{"Crêperie Bretonne", "Joe's Café-Bar", "La Taquería", "Taco Zone"}},
		"regular expressions are not": {restaurant.ListRequest{Q: ".*"}, []string{"Crêperie Bretonne", "Joe's Café-Bar", "La Taquería", "Taco Zone"}},
		"cuisine":                     {restaurant.ListRequest{Cuisine: "MEXICAN"}, []string{"La Taquería", "Taco Zone"}},
		"cuisine is exact":            {restaurant.ListRequest{Cuisine: "mexi"}, []string{}},
		"active":                      {restaurant.ListRequest{IsActive: ptr(true)}, []string{"Joe's Café-Bar", "Taco Zone"}},
		"inactive and mexican":        {restaurant.ListRequest{IsActive: ptr(false), Cuisine: "mexican"}, []string{"La Taquería"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, names(pageOf(t, tc.req, rows)))
		})
	}
}

func TestNearestFirst(t *testing.T) {
	t.Parallel()
	at := geo.Point{Latitude: 37.77, Longitude: -122.42}
	rows := []row{
		rowAt(1, "Oakland", "", geo.Point{Latitude: 37.80, Longitude: -122.27}),
		rowAt(2, "Mission", "", geo.Point{Latitude: 37.76, Longitude: -122.42}),
		rowAt(3, "Los Angeles", "", geo.Point{Latitude: 34.05, Longitude: -118.24}),
		rowAt(4, "Here", "", at),
	}
	req := restaurant.ListRequest{Latitude: &at.Latitude, Longitude: &at.Longitude}
	res := pageOf(t, req, rows)
	require.Equal(t, []string{"Here", "Mission", "Oakland", "Los Angeles"}, names(res))
	require.Zero(t, *res.Restaurants[0].DistanceKm)
	require.InDelta(t, 1.11, *res.Restaurants[1].DistanceKm, 0.01)
	require.InDelta(t, 559, *res.Restaurants[3].DistanceKm, 5)

	req.RadiusKm = ptr(20.0)
	require.Equal(t, []string{"Here", "Mission", "Oakland"}, names(pageOf(t, req, rows)))
	req.RadiusKm = ptr(0.1)
	require.Equal(t, []string{"Here"}, names(pageOf(t, req, rows)))
	require.Nil(t, pageOf(t, restaurant.ListRequest{}, rows).Restaurants[0].DistanceKm, "no position, no distance")
}

// drawRows makes restaurants with few names and places, so that ties are common.
func drawRows(t *rapid.T) []row {
	rows := make([]row, rapid.IntRange(0, 60).Draw(t, "rows"))
	for i := range rows {
		rows[i] = rowAt(i, fmt.Sprintf("Name %d", rapid.IntRange(0, 5).Draw(t, "name")), "", geo.Point{
			Latitude: float64(rapid.IntRange(0, 3).Draw(t, "latitude")), Longitude: 5,
		})
	}
	return rapid.Permutation(rows).Draw(t, "order")
}

// Page after page gives every restaurant once, in order, whatever the size of a page, and also when others come and go
// between the pages.
func TestPagesNeitherRepeatNorMiss(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rows := drawRows(rt)
		req := restaurant.ListRequest{Limit: rapid.IntRange(1, 7).Draw(rt, "limit")}
		if rapid.Bool().Draw(rt, "near") {
			req.Latitude, req.Longitude = ptr(1.3), ptr(5.0)
		}
		want := pageOf(t, restaurant.ListRequest{Limit: 100, Latitude: req.Latitude, Longitude: req.Longitude}, rows)
		var got []string
		for {
			res := pageOf(t, req, rows)
			require.LessOrEqual(t, len(res.Restaurants), req.Limit)
			for _, r := range res.Restaurants {
				got = append(got, r.ID)
			}
			if res.NextCursor == "" {
				break
			}
			require.Len(t, res.Restaurants, req.Limit)
			req.Cursor = res.NextCursor
			if rapid.Bool().Draw(rt, "somebody opens meanwhile") {
				rows = append(rows, rowAt(1000+len(rows), "Name 0", "", geo.Point{Latitude: 1.3, Longitude: 5}))
			}
		}
		ids := make([]string, 0, len(want.Restaurants))
		for _, r := range want.Restaurants {
			ids = append(ids, r.ID)
		}
		got = slices.DeleteFunc(got, func(id string) bool { return !slices.Contains(ids, id) })
		require.Equal(t, ids, append([]string{}, got...))
	})
}

// Keeping only the best while walking gives what sorting everything would.
func TestPageIsTheTrueBeginning(t *testing.T) {
	t.Parallel()
	rows := make([]row, 5000)
	for i := range rows {
		rows[i] = rowAt(i, fmt.Sprintf("Name %d", (i*7919)%5000), "", geo.Point{})
	}
	res := pageOf(t, restaurant.ListRequest{Limit: 10}, rows)
	sorted := slices.SortedFunc(slices.Values(rows), func(a, b row) int { return cmp.Compare(a.nameKey, b.nameKey) })
	for i, r := range res.Restaurants {
		require.Equal(t, sorted[i].restaurant.Name, r.Name)
	}
}

func TestPagePassesErrorsOn(t *testing.T) {
	t.Parallel()
	q, err := newQuery(restaurant.ListRequest{})
	require.NoError(t, err)
	_, err = q.page(func(yield func(*row, error) bool) { yield(nil, errNone) })
	require.ErrorIs(t, err, errNone)
}

func TestCursorsOfOtherListsAreRefused(t *testing.T) {
	t.Parallel()
	byName := position{name: "joes", id: objectID(7)}.cursor()
	byDistance := position{near: true, distance: 1.5, id: objectID(7)}.cursor()
	for _, tc := range []struct {
		cursor string
		near   bool
		good   bool
	}{
		{byName, false, true}, {byDistance, true, true}, {byName, true, false}, {byDistance, false, false},
		{"", false, false}, {"!", false, false}, {"AAAA", false, false}, {byDistance + "AAAA", true, false},
		{byDistance[:len(byDistance)-2], true, false},
		{position{near: true, distance: math.NaN(), id: objectID(7)}.cursor(), true, false},
		{position{near: true, distance: -1, id: objectID(7)}.cursor(), true, false},
	} {
		_, err := parseCursor(tc.cursor, tc.near)
		require.Equal(t, tc.good, err == nil, "%q near=%v: %v", tc.cursor, tc.near, err)
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add(position{name: "joes", id: objectID(7)}.cursor(), false)
	f.Add(position{near: true, distance: 1.5, id: objectID(7)}.cursor(), true)
	f.Fuzz(func(t *testing.T, text string, near bool) {
		p, err := parseCursor(text, near)
		if err != nil {
			return
		}
		require.Equal(t, text, p.cursor(), "one position has one spelling")
		require.False(t, p.before(p))
	})
}
