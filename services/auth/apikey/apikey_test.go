package apikey_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/auth/apikey"
)

const id = "01935c8e-2f4a-8b1c-9d3e-5f60718293a4"

func TestAKeyIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	made := apikey.New(id)
	raw := made.String()
	require.Regexp(t, `^tfk_[0-9a-f-]{36}\.[A-Za-z0-9_-]{43}$`, raw, "what scanners look for")
	read, ok := apikey.Parse(raw)
	require.True(t, ok)
	require.Equal(t, made, read)
	require.Equal(t, made.Digest(), read.Digest())
	require.NotEqual(t, made.Digest(), apikey.New(id).Digest(), "every key has a secret of its own")
	digest := made.Digest()
	require.NotContains(t, raw, string(digest[:]))
}

func TestWhatIsNoKey(t *testing.T) {
	t.Parallel()
	raw := apikey.New(id).String()
	secret := raw[len(raw)-43:]
	for name, text := range map[string]string{
		"nothing": "", "prefix": "tfk_", "no prefix": strings.TrimPrefix(raw, "tfk_"), "another prefix": "sk_" + raw[4:],
		"prefix in other case": "TFK_" + raw[4:], "no secret": "tfk_" + id, "short secret": raw[:len(raw)-1], "long secret": raw + "A",
		"no id": "tfk_." + secret, "id in other case": "tfk_" + strings.ToUpper(id) + "." + secret,
		"id of another version": "tfk_01935c8e-2f4a-4b1c-9d3e-5f60718293a4." + secret,
		"a line break":          raw[:len(raw)-1] + "\n", "a space": " " + raw, "standard alphabet": raw[:len(raw)-1] + "+",
		"loose bits at the end": raw[:len(raw)-1] + "B",
		"two dots":              "tfk_" + id + ".." + secret[1:], "an SQL condition": "tfk_' or 1=1 --" + secret,
	} {
		if _, ok := apikey.Parse(text); ok {
			// One in four last characters carries no loose bits, and is then merely another key.
			require.Equal(t, "loose bits at the end", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(apikey.New(id).String())
	f.Add("tfk_" + id + "." + strings.Repeat("A", 43))
	f.Add("tfk_." + strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, text string) {
		if key, ok := apikey.Parse(text); ok {
			require.Equal(t, text, key.String(), "one key has one spelling")
		}
	})
}
