package shard_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/shard"
)

func TestConfigurationErrorsNameTheVariable(t *testing.T) {
	t.Parallel()
	all := []string{"us-west", "ca", "us-east", "us-central", "us-south", "mx"}
	for name, tc := range map[string]struct {
		shards []shard.ShardConfig
		want   []string
	}{
		"no shard":              {nil, []string{"POSTGRES_SHARD_A_URL"}},
		"region twice":          {[]shard.ShardConfig{{ID: "a", URL: nowhere, Regions: all}, {ID: "b", URL: nowhere, Regions: []string{"mx"}}}, []string{"SHARD_B_REGIONS", "SHARD_A_REGIONS", `"mx"`}},
		"region twice in one":   {[]shard.ShardConfig{{ID: "a", URL: nowhere, Regions: append([]string{"mx"}, all...)}}, []string{"SHARD_A_REGIONS", `"mx"`}},
		"region without shard":  {[]shard.ShardConfig{{ID: "a", URL: nowhere, Regions: all[:5]}, {ID: "b", URL: nowhere}}, []string{"SHARD_A_REGIONS", "SHARD_B_REGIONS", `"mx"`}},
		"shard twice":           {[]shard.ShardConfig{{ID: "a", URL: nowhere, Regions: all}, {ID: "a", URL: nowhere}}, []string{"POSTGRES_SHARD_A_URL"}},
		"region not a token":    {[]shard.ShardConfig{{ID: "a", URL: nowhere, Regions: append([]string{"US.*"}, all...)}}, []string{"SHARD_A_REGIONS", `"US.*"`}},
		"name not a word":       {[]shard.ShardConfig{{ID: "a;", URL: nowhere, Regions: all}}, []string{"POSTGRES_SHARD_a;_URL"}},
		"region code collision": {[]shard.ShardConfig{{ID: "a", URL: nowhere, Regions: append(colliding(t), all...)}}, []string{"SHARD_A_REGIONS", "same code"}},
	} {
		_, err := shard.NewRouter(shard.Config{Shards: tc.shards})
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "\n", name)
		for _, want := range tc.want {
			require.ErrorContains(t, err, want, name)
		}
	}
}

// colliding finds two region names with the same code.
func colliding(t *testing.T) []string {
	t.Helper()
	router := newRouter(t)
	seen := map[string]string{}
	for i := range 10_000 {
		region := fmt.Sprintf("r%d", i)
		code := router.NewID(shard.Region(region))[15:18]
		if other, taken := seen[code]; taken {
			return []string{region, other}
		}
		seen[code] = region
	}
	t.Fatal("no collision in twelve bits")
	return nil
}

func TestRoutingIsTotalAndDeterministic(t *testing.T) {
	t.Parallel()
	one, two := newRouter(t), newRouter(t)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Z][a-z]{2,12}( [A-Z][a-z]{2,9})?(, [A-Z]{2})?`)).Draw(t, "name")
		route := one.RouteCity(name)
		require.Equal(t, route, two.RouteCity(name))
		require.Contains(t, one.Shards(), route.Shard)
		require.Contains(t, one.Regions(), route.Region)
		home, known := one.ShardOf(route.Region)
		require.True(t, known)
		require.Equal(t, home, route.Shard)
		require.Contains(t, []string{"city", "alias", "typo", "hash"}, route.Via)

		email := one.RouteEmail(name)
		require.Equal(t, email, two.RouteEmail(name))
		require.Equal(t, "email", email.Via)
		require.Contains(t, one.Shards(), email.Shard)
	})
}

func TestSpellingsOfOneUnknownPlaceShareAHome(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	for _, same := range [][]string{
		{"Atlantis", "ATLANTIS", " atlantis ", "Átlantis", "At-lantis"},
		{"Marfa, TX", "marfa texas", "MARFA (Texas)", "Marfa, Texas, USA", "marfa_tx"},
		{"St. Nowhere", "Saint Nowhere", "st-nowhere"},
	} {
		want := router.RouteCity(same[0])
		require.Equal(t, shard.ViaHash, want.Via)
		require.Nil(t, want.City)
		for _, name := range same {
			require.Equal(t, want, router.RouteCity(name), name)
		}
	}
}

func TestAnAddedShardTakesOnlyItsShare(t *testing.T) {
	t.Parallel()
	config := defaultConfig(nowhere, nowhere, nowhere)
	before, err := shard.NewRouter(config)
	require.NoError(t, err)
	config.Shards = append(config.Shards, shard.ShardConfig{ID: "d", URL: nowhere, Regions: []string{"elsewhere"}})
	after, err := shard.NewRouter(config)
	require.NoError(t, err)

	const keys = 20_000
	moved := 0
	for i := range keys {
		name := fmt.Sprintf("Unknown Town %d", i)
		was, is := before.RouteCity(name), after.RouteCity(name)
		require.Equal(t, shard.ViaHash, was.Via)
		if was.Region != is.Region {
			require.Equal(t, shard.Region("elsewhere"), is.Region, "what moves, moves to the new shard")
			moved++
		}
		email := fmt.Sprintf("somebody%d@example.com", i)
		require.Equal(t, before.RouteEmail(email), after.RouteEmail(email), "registered addresses stay where they are")
	}
	// One of seven regions is new: its share is a seventh.
	require.InDelta(t, keys/7.0, moved, keys/7.0*0.2)
	require.LessOrEqual(t, float64(moved), keys/4.0*1.2, "a shard more: a quarter and 20 % at most")
}

func TestUnknownPlacesAndAddressesSpreadEvenly(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	cities, emails := map[shard.Region]int{}, map[shard.Region]int{}
	const keys = 12_000
	for i := range keys {
		cities[router.RouteCity(fmt.Sprintf("Nowhere %d", i)).Region]++
		emails[router.RouteEmail(fmt.Sprintf("user%d@example.org", i)).Region]++
	}
	for _, region := range router.Regions() {
		require.InDelta(t, keys/6, cities[region], keys/6*0.15)
		require.InDelta(t, keys/6, emails[region], keys/6*0.15)
	}
}

func TestOneAddressHasOneHome(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	for _, same := range [][]string{
		{"Ada@Example.com", " ada@example.COM ", "ADA@EXAMPLE.COM"},
		{"jose\u0301@example.com", "josé@example.com", "JOSÉ@example.com"},
		{"x@bücher.example", "x@xn--bcher-kva.example", "X@BÜCHER.example"},
	} {
		for _, email := range same {
			require.Equal(t, router.RouteEmail(same[0]), router.RouteEmail(email), email)
		}
	}
	homes := map[string]bool{}
	for _, email := range []string{"a.da@example.com", "ada+x@example.com", "ada@example.com", "ada@example.org", "", "@", "no at", strings.Repeat("a", 10_000)} {
		homes[router.RouteEmail(email).Shard] = true
	}
	require.NotEmpty(t, homes)
}

func TestAFourthShardIsConfigurationOnly(t *testing.T) {
	t.Parallel()
	config := defaultConfig(nowhere, nowhere, nowhere)
	config.Shards[2].Regions = []string{"us-south"}
	config.Shards = append(config.Shards, shard.ShardConfig{ID: "d", URL: nowhere, Regions: []string{"mx"}}, shard.ShardConfig{ID: "e", URL: nowhere})
	router, err := shard.NewRouter(config)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, router.Shards())
	require.Equal(t, "d", router.RouteCity("Guadalajara").Shard)
	require.Equal(t, "c", router.RouteCity("Houston").Shard)
	_, known := router.ShardOf("atlantis")
	require.False(t, known)
}

func BenchmarkRouteCity(b *testing.B) {
	router := newRouter(b)
	for _, name := range []string{"San Francisco", "San Fransisco", "Atlantis"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				router.RouteCity(name)
			}
		})
	}
}

func BenchmarkRouteEmail(b *testing.B) {
	router := newRouter(b)
	b.ReportAllocs()
	for b.Loop() {
		router.RouteEmail("somebody@example.com")
	}
}
