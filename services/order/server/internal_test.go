package server

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/order"
	"tiffin/shard"
)

func newRouter(t testing.TB) *shard.Router {
	t.Helper()
	router, err := shard.NewRouter(shard.Config{Shards: []shard.ShardConfig{{
		ID: "a", URL: "postgres://nowhere", Regions: []string{"us-west", "ca", "us-east", "us-central", "us-south", "mx"},
	}}})
	require.NoError(t, err)
	return router
}

func TestCursorsRoundTrip(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	for _, region := range router.Regions() {
		id := router.NewID(region)
		cursor, err := encodeCursor(id)
		require.NoError(t, err)
		back, err := decodeCursor(cursor)
		require.NoError(t, err)
		require.Equal(t, id, back)
	}
	none, err := decodeCursor("")
	require.NoError(t, err)
	require.Empty(t, none)
}

// Whatever clients send, a cursor is refused or it is the one text of an id that can be asked for.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("AQ")
	f.Add("AQGayJeF-IAAiAAAAAAAAAAA")
	f.Add("_____________________w")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := decodeCursor(text)
		if err != nil || text == "" {
			return
		}
		_, err = shard.ParseID(id)
		require.NoError(t, err)
		again, err := encodeCursor(id)
		require.NoError(t, err)
		require.Equal(t, text, again)
	})
}

func TestTheTimeOfAnIdIsWhenItWasMade(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	earlier := timeOf(router.NewID("mx"))
	require.False(t, timeOf(router.NewID("mx")).Before(earlier))
}

// Merging pages that are newest first is sorting all of them, whatever the shards hold.
func TestMergingIsSorting(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfDistinct(rapid.StringMatching(`[0-9a-f]{8}`), rapid.ID).Draw(t, "ids")
		pages := make([][]order.Order, rapid.IntRange(1, 4).Draw(t, "shards"))
		slices.Sort(ids)
		slices.Reverse(ids)
		for _, id := range ids {
			at := rapid.IntRange(0, len(pages)-1).Draw(t, "at")
			pages[at] = append(pages[at], order.Order{ID: id})
		}
		n := rapid.IntRange(0, 20).Draw(t, "limit")
		merged := merge(pages, n)
		require.Len(t, merged, min(n, len(ids)))
		for i, o := range merged {
			require.Equal(t, ids[i], o.ID)
		}
	})
}

func TestCitiesAreFoundHoweverTheyAreSpelled(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	_, key := cityOf(router.RouteCity("San Francisco"), "San Francisco")
	for _, spelled := range []string{"san francisco", "SAN FRANCISCO"} {
		name, other := cityOf(router.RouteCity(spelled), spelled)
		require.Equal(t, "San Francisco", name)
		require.Equal(t, key, other)
	}
	name, key := cityOf(router.RouteCity("Qwxz  Zyxq"), "Qwxz  Zyxq")
	require.Equal(t, "Qwxz Zyxq", name)
	_, other := cityOf(router.RouteCity("qwxz zyxq"), "qwxz zyxq")
	require.Equal(t, key, other)
}
