package auth_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"tiffin/services/auth"
)

func TestCanonicalEmail(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, want string }{
		"as is":                        {"ada@example.com", "ada@example.com"},
		"letter case":                  {"Ada.Lovelace@EXAMPLE.Com", "ada.lovelace@example.com"},
		"spaces around":                {" \t\nada@example.com\r\n ", "ada@example.com"},
		"no-break space around":        {"\u00a0ada@example.com\u3000", "ada@example.com"},
		"plus tag is kept":             {"ada+tiffin@gmail.com", "ada+tiffin@gmail.com"},
		"dots are kept":                {"a.d.a@gmail.com", "a.d.a@gmail.com"},
		"decomposed accent":            {"jose\u0301@example.com", "jos\u00e9@example.com"},
		"upper decomposed accent":      {"JOSE\u0301@example.com", "jos\u00e9@example.com"},
		"Greek final sigma":            {"ΟΔΟΣ@example.com", "οδος@example.com"},
		"Turkish dotted I":             {"İ@example.com", "i\u0307@example.com"},
		"Kelvin sign is k":             {"\u212aarl@example.com", "karl@example.com"},
		"IDNA domain":                  {"ada@Bücher.example", "ada@xn--bcher-kva.example"},
		"IDNA domain, decomposed":      {"ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"},
		"IDNA domain, already ASCII":   {"ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"},
		"full-width domain":            {"ada@ｅｘａｍｐｌｅ.com", "ada@example.com"},
		"ideographic full stop":        {"ada@example。com", "ada@example.com"},
		"every atext character":        {"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
		"digits and sub-sub-domains":   {"007@mx.a.b.example.co.uk", "007@mx.a.b.example.co.uk"},
		"longest local part":           {strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com"},
		"other scripts before the at":  {"राम@example.com", "राम@example.com"},
		"domain with digits first":     {"ada@3com.example", "ada@3com.example"},
		"single-letter local and host": {"a@b.c", "a@b.c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := auth.CanonicalEmail(tc.in)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestCanonicalEmailRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"empty":                   "",
		"blank":                   "   ",
		"no at":                   "ada.example.com",
		"nothing before the at":   "@example.com",
		"nothing after the at":    "ada@",
		"two ats":                 "ada@home@example.com",
		"space inside":            "ada lovelace@example.com",
		"NUL":                     "ada\x00@example.com",
		"line break inside":       "ada\n@example.com",
		"header injection":        "ada@example.com\r\nBcc: x@example.com",
		"no top-level domain":     "ada@localhost",
		"address literal":         "ada@[127.0.0.1]",
		"empty label":             "ada@example..com",
		"trailing dot":            "ada@example.com.",
		"leading hyphen":          "ada@-example.com",
		"trailing hyphen":         "ada@example-.com",
		"underscore in domain":    "ada@ex_ample.com",
		"slash in domain":         "ada@exam/ple.com",
		"leading dot":             ".ada@example.com",
		"trailing dot in local":   "ada.@example.com",
		"two dots in local":       "a..da@example.com",
		"quoted local part":       `"ada"@example.com`,
		"display name":            "Ada <ada@example.com>",
		"invalid UTF-8":           "ad\xff@example.com",
		"zero-width space":        "ad\u200ba@example.com",
		"right-to-left override":  "ada\u202e@example.com",
		"local part too long":     strings.Repeat("a", 65) + "@example.com",
		"label too long":          "ada@" + strings.Repeat("a", 64) + ".com",
		"address too long":        "ada@" + strings.Repeat("a.", 130) + "com",
		"not IDNA":                "ada@xn--a.example",
		"emoji in the local part": "🍕@example.com",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := auth.CanonicalEmail(in)
			require.ErrorIs(t, err, auth.ErrEmail, "got %q", got)
			require.Empty(t, got)
		})
	}
}

// Whatever somebody types, the canonical form is one form: canonical again it is itself, and the spellings that must
// not matter do not.
func TestCanonicalEmailIsCanonical(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.StringMatching(`[\p{L}\d!#+_-]{1,12}(\.[\p{L}\d]{1,8})?`).Draw(t, "local")
		domain := rapid.StringMatching(`[a-zA-Z0-9äÖéñ]{1,12}\.(com|example|MX)`).Draw(t, "domain")
		canonical, err := auth.CanonicalEmail(local + "@" + domain)
		if err != nil {
			return // too long in bytes
		}
		for _, spelling := range []string{
			canonical,
			"  " + local + "@" + domain + "\n",
			norm.NFD.String(local) + "@" + norm.NFD.String(domain),
			local + "@" + strings.ToUpper(domain),
		} {
			again, err := auth.CanonicalEmail(spelling)
			require.NoError(t, err, "%q", spelling)
			require.Equal(t, canonical, again, "%q", spelling)
		}
	})
}

func FuzzCanonicalEmail(f *testing.F) {
	for _, seed := range []string{"ada@example.com", "İ@Bücher.example", "a@b.c", "\u1e9e@ß.de", "\u0345\u0301@x.y", "@", "a@\xff.b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, err := auth.CanonicalEmail(in)
		if err != nil {
			require.Empty(t, out)
			return
		}
		require.True(t, utf8.ValidString(out) && norm.NFC.IsNormalString(out))
		require.LessOrEqual(t, len(out), 254)
		require.Equal(t, 1, strings.Count(out, "@"))
		require.False(t, strings.ContainsFunc(out, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }))
		again, err := auth.CanonicalEmail(out)
		require.NoError(t, err)
		require.Equal(t, out, again)
	})
}
