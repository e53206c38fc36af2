package server

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/shard"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                       "",
		"  ":                     "",
		"Taquería":               "taqueria",
		"TAQUERI\u0301A":         "taqueria",
		"Joe's Café-Bar":         "joes cafe bar",
		"JOE’S   cafe.bar!":      "joes cafe bar",
		"Crêperie Bretonne":      "creperie bretonne",
		"Smörgåsbord":            "smorgasbord",
		"Rødgrød":                "rodgrod",
		"Łódź":                   "lodz",
		"Straße":                 "strasse",
		"Ægir":                   "aegir",
		"İstanbul Kebap":         "istanbul kebap",
		"ısı":                    "isi",
		"Fish & Chips":           "fish chips",
		"24/7 Diner":             "24 7 diner",
		"寿司":                     "寿司",
		"ＳＵＳＨＩ":                  "sushi",
		"Ñandú":                  "nandu",
		"Phở":                    "pho",
		"<script>alert</script>": "script alert script",
	} {
		require.Equal(t, want, fold(in), "%q", in)
	}
}

func TestFoldIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once := fold(rapid.String().Draw(t, "text"))
		require.Equal(t, once, fold(once))
	})
}

func FuzzFold(f *testing.F) {
	f.Add("Joe's Café-Bar")
	f.Add("\u0345\u1e9e\ufb03 İ")
	f.Fuzz(func(t *testing.T, in string) {
		out := fold(in)
		require.Equal(t, out, fold(out))
		require.Equal(t, strings.TrimSpace(out), out)
		require.False(t, strings.ContainsFunc(out, func(r rune) bool { return unicode.IsPunct(r) || unicode.Is(unicode.Mn, r) }))
	})
}

// All spellings of a city are one city, and a city nobody knows is itself.
func TestCityKey(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	key := func(name string) string { return cityKey(router.RouteCity(name), name) }
	for _, spelling := range []string{"san-francisco", "SAN_FRANCISCO", "SF", "San Fransisco", "san francisco, CA"} {
		require.Equal(t, key("San Francisco"), key(spelling), spelling)
	}
	require.Equal(t, key("Mexico City"), key("CDMX"))
	require.NotEqual(t, key("Portland, ME"), key("Portland, OR"))
	require.Equal(t, key("Nowhere-on-Sea Xyzzy"), key("NOWHERE ON SEA, xyzzy"))
	require.NotEqual(t, key("Nowhere-on-Sea Xyzzy"), key("Elsewhere-on-Sea Xyzzy"))
	require.Equal(t, shard.Region("us-west"), router.RouteCity("SF").Region)
}
