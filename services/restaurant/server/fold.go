package server

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// undecomposed are lower-case letters that Unicode does not take apart: strokes, ligatures, and forms of one letter.
var undecomposed = strings.NewReplacer(
	"ø", "o", "ł", "l", "đ", "d", "ð", "d", "ħ", "h", "ı", "i", "æ", "ae", "œ", "oe", "þ", "th", "ß", "ss", "ς", "σ",
)

// fold is the form in which texts are compared: without case and accents, apostrophes gone, everything else that is no
// letter and no digit one space. "Joe's Café-Bar" and "JOES cafe bar" are one.
func fold(s string) string {
	// NFKD takes accents off their letters. It may uncover letters that have a lower case, and the other way round.
	s = norm.NFKD.String(strings.ToLower(norm.NFKD.String(s)))
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
