package wire_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/wire"
)

func TestParseMoney(t *testing.T) {
	t.Parallel()
	good := map[string]wire.Money{
		"0": 0, "-0": 0, "0.0": 0, "0.05": 5, "45.99": 4599, "45.9": 4590, "45": 4500, "-3.10": -310, "-0.01": -1,
		"92233720368547758.07": math.MaxInt64, "-92233720368547758.07": -math.MaxInt64,
	}
	for text, want := range good {
		got, err := wire.ParseMoney(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "01", "00", "+1", "1.005", "1e2", "1E2", "0x1", " 1", "1 ", "1,00", "--1", "NaN", "Infinity",
		"1.-5", "١", "92233720368547758.08", "-92233720368547758.09", strings.Repeat("9", 400), `"1"`, "null",
	} {
		_, err := wire.ParseMoney(text)
		require.ErrorIs(t, err, wire.ErrMoney, text)
	}
}

// amount draws any Money but MinInt64, whose text is one cent beyond what ParseMoney accepts.
func amount(t *rapid.T, label string) wire.Money {
	return wire.Money(rapid.Int64Min(-math.MaxInt64).Draw(t, label))
}

func TestMoneyTextIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := amount(t, "amount")
		back, err := wire.ParseMoney(m.String())
		require.NoError(t, err)
		require.Equal(t, m, back)

		data, err := json.Marshal(m)
		require.NoError(t, err)
		require.Equal(t, m.String(), string(data))
		exact, ok := new(big.Rat).SetString(m.String())
		require.True(t, ok)
		require.Zero(t, exact.Cmp(big.NewRat(int64(m), 100)))
	})
	require.Equal(t, "-92233720368547758.08", wire.Money(math.MinInt64).String())
}

func TestMoneyArithmeticIsExactOrRefused(t *testing.T) {
	t.Parallel()
	check := func(t *rapid.T, got wire.Money, err error, want *big.Int) {
		if want.IsInt64() {
			require.NoError(t, err)
			require.Equal(t, want.Int64(), int64(got))
			return
		}
		require.ErrorIs(t, err, wire.ErrOverflow)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, n := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b"), rapid.Int().Draw(t, "n")
		sum, err := wire.Money(a).Add(wire.Money(b))
		check(t, sum, err, new(big.Int).Add(big.NewInt(a), big.NewInt(b)))
		product, err := wire.Money(a).Mul(n)
		check(t, product, err, new(big.Int).Mul(big.NewInt(a), big.NewInt(int64(n))))
	})
	for _, m := range []wire.Money{math.MinInt64, math.MaxInt64} {
		for _, n := range []int{-1, 0, 1, 2, math.MinInt64, math.MaxInt64} {
			product, err := m.Mul(n)
			want := new(big.Int).Mul(big.NewInt(int64(m)), big.NewInt(int64(n)))
			require.Equal(t, want.IsInt64(), err == nil, "%d·%d", m, n)
			if err == nil {
				require.Equal(t, want.Int64(), int64(product))
			}
		}
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{"45.99", "-0.05", "1e9", "00", "92233720368547758.08"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := wire.ParseMoney(text)
		if err != nil {
			return
		}
		require.True(t, json.Valid([]byte(text)), "only what is a JSON number")
		exact, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		require.Zero(t, exact.Cmp(big.NewRat(int64(m), 100)), "no cent is lost")
	})
}
