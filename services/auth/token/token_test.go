package token_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"tiffin/services/auth/token"
)

const secret = "a secret of at least thirty-two bytes"

var now = time.Date(2026, 11, 22, 14, 8, 39, 500e6, time.UTC)

func at(t time.Time) token.Option { return token.WithClock(func() time.Time { return t }) }

func signed(t *testing.T) string {
	t.Helper()
	raw, _, err := token.NewSigner(secret, time.Hour, at(now)).Sign("user-1", "customer", "family-1")
	require.NoError(t, err)
	return raw
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	signer := token.NewSigner(secret, time.Hour, at(now))
	raw, expires, err := signer.Sign("user-1", "customer", "family-1")
	require.NoError(t, err)
	require.Equal(t, time.Hour, signer.TTL())
	require.WithinDuration(t, now.Add(time.Hour), expires, time.Second)

	claims, err := token.NewVerifier(secret, at(now)).Verify(raw)
	require.NoError(t, err)
	require.Equal(t, token.Claims{UserID: "user-1", Role: "customer", Family: "family-1", ExpiresAt: expires}, claims)
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	raw := signed(t)
	for name, tc := range map[string]struct {
		at   time.Time
		good bool
	}{
		"just signed":                   {now, true},
		"verifier's clock is behind":    {now.Add(-24 * time.Hour), true},
		"a second before the end":       {now.Add(time.Hour - 2*time.Second), true},
		"at the end":                    {now.Add(time.Hour), false},
		"long after":                    {now.Add(30 * 24 * time.Hour), false},
		"verifier's clock ahead by 30s": {now.Add(30 * time.Second), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := token.NewVerifier(secret, at(tc.at)).Verify(raw)
			if tc.good {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, token.ErrInvalid)
		})
	}
}

// good is what Sign writes; each forgery changes one thing, with a right signature unless it says otherwise.
func good() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": "tiffin", "aud": "tiffin", "typ": "access", "sub": "user-1", "role": "admin", "fam": "family-1",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

func forge(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims, header map[string]any) string {
	t.Helper()
	tok := jwt.NewWithClaims(method, claims)
	for k, v := range header {
		tok.Header[k] = v
	}
	raw, err := tok.SignedString(key)
	require.NoError(t, err)
	return raw
}

func without(name string) jwt.MapClaims { c := good(); delete(c, name); return c }

func with(name string, value any) jwt.MapClaims { c := good(); c[name] = value; return c }

func TestForgeries(t *testing.T) {
	t.Parallel()
	key := []byte(secret)
	hs := jwt.SigningMethodHS256
	verifier := token.NewVerifier(secret, at(now))
	_, err := verifier.Verify(forge(t, hs, key, good(), nil))
	require.NoError(t, err, "the forger's tools work")

	for name, raw := range map[string]string{
		"empty":            "",
		"one part":         "abc",
		"two parts":        "a.b",
		"four parts":       signed(t) + ".x",
		"not base64":       "!.!.!",
		"another secret":   forge(t, hs, []byte("another secret of the same length..."), good(), nil),
		"no algorithm":     forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good(), nil),
		"HS384":            forge(t, jwt.SigningMethodHS384, key, good(), nil),
		"HS512":            forge(t, jwt.SigningMethodHS512, key, good(), nil),
		"crit header":      forge(t, hs, key, good(), map[string]any{"crit": []string{"b64"}, "b64": false}),
		"no expiry":        forge(t, hs, key, without("exp"), nil),
		"expired":          forge(t, hs, key, with("exp", now.Add(-time.Second).Unix()), nil),
		"expiry as text":   forge(t, hs, key, with("exp", "never"), nil),
		"not yet valid":    forge(t, hs, key, with("nbf", now.Add(time.Hour).Unix()), nil),
		"no issuer":        forge(t, hs, key, without("iss"), nil),
		"other issuer":     forge(t, hs, key, with("iss", "tiffin.example"), nil),
		"no audience":      forge(t, hs, key, without("aud"), nil),
		"other audience":   forge(t, hs, key, with("aud", "partners"), nil),
		"no kind":          forge(t, hs, key, without("typ"), nil),
		"another kind":     forge(t, hs, key, with("typ", "refresh"), nil),
		"no subject":       forge(t, hs, key, without("sub"), nil),
		"no role":          forge(t, hs, key, without("role"), nil),
		"no family":        forge(t, hs, key, without("fam"), nil),
		"role as a number": forge(t, hs, key, with("role", 7), nil),
		"trailing newline": signed(t) + "\n",
		"padded signature": signed(t) + "=",
		"no signature":     signed(t)[:strings.LastIndexByte(signed(t), '.')+1],
		"changed payload":  tamper(t, signed(t)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claims, err := verifier.Verify(raw)
			require.ErrorIs(t, err, token.ErrInvalid)
			require.Zero(t, claims, "claims of a token that did not verify")
		})
	}
}

// tamper makes the bearer an administrator and keeps the signature.
func tamper(t *testing.T, raw string) string {
	t.Helper()
	parts := strings.Split(raw, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(payload, &claims))
	claims["role"] = "admin"
	payload, err = json.Marshal(claims)
	require.NoError(t, err)
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + parts[2]
}

// The last character of an HS256 signature has two bits to spare. A lax decoder ignores them, and one token then has
// four spellings, which defeats lists of revoked tokens.
func TestOneSpelling(t *testing.T) {
	t.Parallel()
	raw := signed(t)
	verifier := token.NewVerifier(secret, at(now))
	accepted := 0
	for _, last := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if _, err := verifier.Verify(raw[:len(raw)-1] + string(last)); err == nil {
			accepted++
		}
	}
	require.Equal(t, 1, accepted)
}

func FuzzVerify(f *testing.F) {
	raw, _, err := token.NewSigner(secret, time.Hour, at(now)).Sign("user-1", "customer", "family-1")
	require.NoError(f, err)
	f.Add(raw)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, in string) {
		claims, err := token.NewVerifier(secret, at(now)).Verify(in)
		if err != nil {
			require.ErrorIs(t, err, token.ErrInvalid)
			require.Zero(t, claims)
			return
		}
		require.Equal(t, raw, in, "only the token that was signed may verify")
	})
}

func BenchmarkVerify(b *testing.B) {
	raw, _, err := token.NewSigner(secret, time.Hour).Sign("0192f7e4-0000-8abc-8000-000000000000", "customer", "0192f7e4-0000-8abc-8000-000000000001")
	require.NoError(b, err)
	v := token.NewVerifier(secret)
	for b.Loop() {
		if _, err := v.Verify(raw); err != nil {
			b.Fatal(err)
		}
	}
}
