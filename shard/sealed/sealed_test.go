package sealed_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/shard/sealed"
)

func keys(t require.TestingT, list string) *sealed.Keys {
	k, err := sealed.Parse(list)
	require.NoError(t, err)
	return k
}

func TestWhatIsSealedOpensAndShowsNothing(t *testing.T) {
	t.Parallel()
	k := keys(t, sealed.Generate("one"))
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.StringN(1, 200, -1).Filter(func(s string) bool { return !strings.HasPrefix(s, "\x01") }).Draw(t, "plain")
		stored := k.Seal(plain, "t.c", "row")
		require.True(t, strings.HasPrefix(stored, k.Prefix()))
		if len(plain) > 3 {
			require.NotContains(t, stored, plain)
		}
		require.NotEqual(t, stored, k.Seal(plain, "t.c", "row"), "equal values do not look equal")
		opened, err := k.Open(stored, "t.c", "row")
		require.NoError(t, err)
		require.Equal(t, plain, opened)
		for _, elsewhere := range [][2]string{{"t.c", "other"}, {"t.d", "row"}} {
			_, err := k.Open(stored, elsewhere[0], elsewhere[1])
			require.ErrorIs(t, err, sealed.ErrKey)
		}
	})
}

func TestKeysAreReplacedOneByTheOther(t *testing.T) {
	t.Parallel()
	first, second := sealed.Generate("first"), sealed.Generate("second")
	old := keys(t, first)
	stored := old.Seal("1 Market Street", "c", "r")
	both := keys(t, second+", "+first)
	require.Equal(t, "second", both.Current())
	plain, err := both.Open(stored, "c", "r")
	require.NoError(t, err)
	require.Equal(t, "1 Market Street", plain)
	require.False(t, strings.HasPrefix(stored, both.Prefix()))

	for _, wrong := range []*sealed.Keys{keys(t, second), keys(t, sealed.Generate("first")), nil} {
		_, err := wrong.Open(stored, "c", "r")
		require.ErrorIs(t, err, sealed.ErrKey)
		require.ErrorContains(t, err, "DATA_KEYS", "it says what to mend")
		require.NotContains(t, err.Error(), "Market")
		require.NotContains(t, err.Error(), strings.TrimPrefix(stored, old.Prefix()))
	}
}

func TestPlainTextStaysReadable(t *testing.T) {
	t.Parallel()
	for _, k := range []*sealed.Keys{nil, keys(t, sealed.Generate("one"))} {
		for _, plain := range []string{"", "+1 415 555 0100", "one:AAAA"} {
			opened, err := k.Open(plain, "c", "r")
			require.NoError(t, err)
			require.Equal(t, plain, opened)
		}
	}
	require.Equal(t, "x", (*sealed.Keys)(nil).Seal("x", "c", "r"))
}

func TestUnusableListsAreRefusedWithoutQuotingKeys(t *testing.T) {
	t.Parallel()
	good := sealed.Generate("a")
	for _, list := range []string{":" + good, "a:secret", "a:c2hvcnQ=", good + "," + good, "a b:" + good, good + ","} {
		_, err := sealed.Parse(list)
		require.Error(t, err, list)
		require.NotContains(t, err.Error(), "secret", "a key")
		require.NotContains(t, err.Error(), strings.TrimPrefix(good, "a:"))
	}
}

// FuzzOpen: whatever stands in a column, opening it neither panics nor invents plain text.
func FuzzOpen(f *testing.F) {
	k, err := sealed.Parse(sealed.Generate("one"))
	require.NoError(f, err)
	f.Add("plain")
	f.Add("\x01one:")
	f.Add("\x01one:AAAA")
	f.Add(k.Seal("x", "c", "other row"))
	f.Fuzz(func(t *testing.T, stored string) {
		plain, err := k.Open(stored, "c", "r")
		if strings.HasPrefix(stored, "\x01") {
			require.ErrorIs(t, err, sealed.ErrKey)
			require.Empty(t, plain)
		} else {
			require.Equal(t, stored, plain)
		}
	})
}

// What an order pays: see docs/security.md.
func BenchmarkSeal(b *testing.B) {
	k := keys(b, sealed.Generate("one"))
	for b.Loop() {
		k.Seal("1455 Market Street, Suite 600, San Francisco, CA 94103", "orders.orders.address", "0196f1f0-0000-8000-8000-000000000000")
	}
}

func BenchmarkOpen(b *testing.B) {
	k := keys(b, sealed.Generate("one"))
	stored := k.Seal("1455 Market Street, Suite 600, San Francisco, CA 94103", "orders.orders.address", "0196f1f0")
	for b.Loop() {
		if _, err := k.Open(stored, "orders.orders.address", "0196f1f0"); err != nil {
			b.Fatal(err)
		}
	}
}
