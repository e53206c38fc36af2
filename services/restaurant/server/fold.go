package server

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// undecomposed are letters whose stroke or ligature Unicode does not take apart, in the form left after case folding.
var undecomposed = strings.NewReplacer(
	"ø", "o", "ł", "l", "đ", "d", "ð", "d", "ħ", "h", "ı", "i", "æ", "ae", "œ", "oe", "þ", "th",
)

// fold is the form in which texts are compared: without case and accents, apostrophes gone, everything else that is no
// letter and no digit one space. "Joe's Café-Bar" and "JOES cafe bar" are one.
func fold(s string) string {
	// NFKD first takes accents off their letters; folding may make new ones (İ), so it is taken apart once more.
	s = norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s)))
	var b strings.Builder
	gap := false
	for _, r := range undecomposed.Replace(s) {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == '‘', r == '`':
		case unicode.IsLetter(r), unicode.IsNumber(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	return b.String()
}

// searchText is what the words of a search are looked for in. The lines keep a word from matching across two fields.
func searchText(fields ...string) string {
	folded := make([]string, len(fields))
	for i, field := range fields {
		folded[i] = fold(field)
	}
	return strings.Join(folded, "\n")
}
