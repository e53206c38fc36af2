package shard

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// abbreviations are written out, so that "Ft. Worth" and "Fort Worth" are one
// name. A word that is also a name of its own would have to stay out of this
// table.
var abbreviations = map[string]string{
	"st": "saint", "ste": "sainte", "sta": "santa", "sto": "santo",
	"ft": "fort", "mt": "mount", "mtn": "mountain", "pt": "port", "pto": "puerto",
	"cd": "ciudad", "col": "colonia", "deleg": "delegacion", "gral": "general", "lic": "licenciado", "hca": "heroica",
	"hts": "heights", "hgts": "heights", "spgs": "springs", "spg": "spring", "bch": "beach", "lk": "lake", "vlg": "village",
	"jct": "junction", "cty": "city", "ctr": "center", "centre": "center", "twp": "township", "pk": "park", "hbr": "harbor",
	"harbour": "harbor",
}

// words cuts a name into comparable words: lower case, without accents,
// apostrophes or punctuation, abbreviations written out. "St.-Jérôme" and
// "saint jerome" are the same words, "O'Fallon" is one word, "D.C." is "dc".
func words(name string) []string { return writeOut(strings.Fields(fold(name))) }

// writeOut joins initials and replaces abbreviations, in place.
func writeOut(list []string) []string {
	list = joinInitials(list)
	for i, word := range list {
		if long, short := abbreviations[word]; short {
			list[i] = long
		}
	}
	return list
}

// normalize is the key of a name: its words run together, because people
// disagree about spaces as well.
func normalize(name string) string { return strings.Join(words(name), "") }

// fold brings letters to lower-case ASCII where they have such a form, drops
// apostrophes, and turns everything that is no letter and no digit into a
// space.
func fold(name string) string {
	folded := make([]byte, 0, len(name)+4)
	if !isASCII(name) {
		// NFKD takes letters and their accents apart; what has no parts is
		// written out, also what only shows up among the parts: ꟹ is a raised œ.
		name = unfoldable.Replace(norm.NFKD.String(unfoldable.Replace(name)))
	}
	for _, c := range name {
		switch {
		case c < utf8.RuneSelf && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9'):
			folded = append(folded, byte(c))
		case c >= 'A' && c <= 'Z':
			folded = append(folded, byte(c)+'a'-'A')
		case c == '\'' || c == '’' || c == '‘' || c == 'ʻ' || c == '`' || c == '´' || unicode.Is(unicode.Mn, c):
		case c == '&':
			folded = append(folded, " and "...)
		case c >= utf8.RuneSelf && (unicode.IsLetter(c) || unicode.IsNumber(c)):
			folded = utf8.AppendRune(folded, unicode.ToLower(c))
		default:
			folded = append(folded, ' ')
		}
	}
	return string(folded)
}

// unfoldable are letters without a decomposition, and those whose decomposition is a space.
var unfoldable = strings.NewReplacer("ß", "ss", "ẞ", "SS", "ø", "o", "Ø", "O", "æ", "ae", "Æ", "AE", "œ", "oe", "Œ", "OE",
	"ł", "l", "Ł", "L", "đ", "d", "Đ", "D", "ı", "i", "´", "'")

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// joinInitials makes one word of letters that stand alone in a row: "d c" is "dc". A single one stays alone,
// because it may shorten a word: "N. York".
func joinInitials(list []string) []string {
	joined := list[:0]
	run := 0
	for i, word := range list {
		alone := len(word) == 1 && word[0] >= 'a' && word[0] <= 'z'
		if alone && run > 0 {
			joined[len(joined)-1] += word
		} else {
			joined = append(joined, list[i])
		}
		if alone {
			run++
		} else {
			run = 0
		}
	}
	return joined
}
