package shard

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":                      "",
		"  ":                    "",
		"San Francisco":         "sanfrancisco",
		"san-francisco":         "sanfrancisco",
		"SAN_FRANCISCO":         "sanfrancisco",
		"São Paulo":             "saopaulo",
		"Montréal":              "montreal",
		"MONTRE\u0301AL":        "montreal",
		"Cañon":                 "canon",
		"Kīhei":                 "kihei",
		"‘Ewa":                  "ewa",
		"Coeur d'Alene":         "coeurdalene",
		"Coeur d’Alene":         "coeurdalene",
		"Œuvre":                 "oeuvre",
		"Straße":                "strasse",
		"Søborg":                "soborg",
		"St. Louis":             "saintlouis",
		"St.-Jérôme":            "saintjerome",
		"Ste-Thérèse":           "saintetherese",
		"Ft. Worth":             "fortworth",
		"Mt Vernon":             "mountvernon",
		"Cd. Juárez":            "ciudadjuarez",
		"D.C.":                  "dc",
		"N.Y.C.":                "nyc",
		"Washington, D.C.":      "washingtondc",
		"Francisco I. Madero":   "franciscoimadero",
		"Town & Country":        "townandcountry",
		"Town 'n' Country":      "townncountry",
		"Stockton":              "stockton",
		"100 Mile House":        "100milehouse",
		"東京":                    "東京",
		"ＦＵＬＬ ｗｉｄｔｈ":            "fullwidth",
		"a\x00b\tc\nd":          "abcd",
		"broken \xff utf-8":     "brokenutf8",
		"San Luis\u00a0Potosí":  "sanluispotosi",
		"Santa\u200bMonica":     "santamonica",
		"Port St. Lucie":        "portsaintlucie",
		"Boynton Bch":           "boyntonbeach",
		"Colorado Spgs":         "coloradosprings",
		"Sta. Catarina":         "santacatarina",
		"Gral. Escobedo":        "generalescobedo",
		"Harbour Centre":        "harborcenter",
		"Pto. Vallarta":         "puertovallarta",
		"E. St. Louis":          "esaintlouis",
		"Winston-Salem (N. C.)": "winstonsalemnc",
	} {
		require.Equal(t, want, normalize(name), "%q", name)
	}
}

// TestNormalizingAgainChangesNothing: a key is its own key, so tables may hold
// either.
func TestNormalizingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		folded := fold(rapid.String().Draw(t, "name"))
		require.Equal(t, strings.Fields(folded), strings.Fields(fold(folded)))
		require.True(t, utf8.ValidString(folded))
	})
}

func TestCaseAndPunctuationNeverMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.StringMatching(`[a-z]{2,9}`), 1, 4).Draw(t, "words")
		want := normalize(strings.Join(list, " "))
		for _, gap := range []string{"-", "_", "  ", ". ", ", ", " / "} {
			require.Equal(t, want, normalize(strings.ToUpper(strings.Join(list, gap))), "%q", gap)
		}
	})
}

func TestInitialsInARowAreOneWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"d c":            {"dc"},
		"washington d c": {"washington", "dc"},
		"n york":         {"n", "york"},
		"a b c d e":      {"abcde"},
		"a bc d e":       {"a", "bc", "de"},
		"1 2":            {"1", "2"},
		"":               {},
	} {
		require.Equal(t, want, joinInitials(strings.Fields(text)), "%q", text)
	}
}

// TestNoAbbreviationHidesAName: a word of the table that is also a name, or
// part of one, would make it unreachable.
func TestNoAbbreviationHidesAName(t *testing.T) {
	t.Parallel()
	for _, city := range Cities().cities {
		match, found := Cities().Lookup(city.Name)
		require.True(t, found, city.Name)
		require.Contains(t, []string{ViaCity, ViaAlias}, match.Via, city.Name)
	}
	for short, long := range abbreviations {
		require.NotEqual(t, short, long)
		require.NotContains(t, abbreviations, long, "written out once and no further")
	}
}

func FuzzFold(f *testing.F) {
	for _, tc := range []string{"San José", "Montre\u0301al", "\xff\xfe", "D.C.", strings.Repeat("é", 100)} {
		f.Add(tc)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key := normalize(name)
		require.True(t, utf8.ValidString(key))
		require.NotContains(t, key, " ")
		require.Equal(t, key, strings.ToLower(key))
	})
}
