package auth

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// ErrEmail says that a text is no e-mail address. It never contains the text.
var ErrEmail = errors.New("not an e-mail address")

// CanonicalEmail returns the one form in which two spellings of the same address are equal: trimmed, Unicode NFC, lower
// case, the domain in its IDNA ASCII form. Nothing else is folded: dots and +tags before the @ belong to the mailbox.
// It fails with ErrEmail. The result is a fixed point: its own canonical form is itself.
func CanonicalEmail(address string) (string, error) {
	address = strings.TrimSpace(address)
	at := strings.LastIndexByte(address, '@')
	if !utf8.ValidString(address) || at < 1 || at == len(address)-1 {
		return "", ErrEmail
	}
	local, domain := fold(address[:at]), address[at+1:]
	if len(local) > 64 || !validLocal(local) {
		return "", ErrEmail
	}
	domain, err := idna.Lookup.ToASCII(norm.NFC.String(domain))
	if err != nil || !validDomain(domain) || len(local)+1+len(domain) > maxEmailBytes {
		return "", ErrEmail
	}
	return local + "@" + domain, nil
}

// fold lower-cases until nothing changes: lowering may denormalise (İ becomes i with a combining dot), and normalising
// may compose a letter that has a lower case of its own. A Caser is not safe for concurrent use, hence one a call.
func fold(s string) string {
	lower := cases.Lower(language.Und)
	s = norm.NFC.String(s)
	for range 4 {
		next := norm.NFC.String(lower.String(s))
		if next == s {
			break
		}
		s = next
	}
	return s
}

// validLocal accepts dot-atoms with letters of any script. Quoted local parts are refused: nobody owns one, and they
// would let spaces and further @ signs into places that show addresses.
func validLocal(local string) bool {
	if local == "" || local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return false
	}
	for _, r := range local {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
		case strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r):
		default:
			return false
		}
	}
	return true
}

// validDomain wants at least two labels of letters, digits and inner hyphens, each at most 63 bytes.
func validDomain(domain string) bool {
	labels := strings.Split(domain, ".")
	if len(labels) < 2 || len(domain) > 253 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return true
}
