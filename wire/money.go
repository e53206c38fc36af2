package wire

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Money is an amount in minor units (cents). In JSON it is a number with exactly two decimals, such as 45.99.
type Money int64

// ErrMoney says that text is no amount: not a plain decimal, more than two decimals, or beyond ±92 quadrillion.
var ErrMoney = errors.New("not an amount with at most two decimals")

// ErrOverflow says that an arithmetic result does not fit Money.
var ErrOverflow = errors.New("amount out of range")

// ParseMoney reads a decimal with at most two places, such as "45.99", "45.9", "-3" or "0".
// It follows JSON's number grammar (no leading zero or plus) without exponents. It returns ErrMoney for anything else.
func ParseMoney(s string) (Money, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	if !allDigits(whole) || len(whole) > 1 && whole[0] == '0' || len(whole) > 17 {
		return 0, ErrMoney
	}
	if dotted && (!allDigits(fraction) || len(fraction) > 2) {
		return 0, ErrMoney
	}
	fraction += "00"[:2-len(fraction)]
	minor, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return 0, ErrMoney
	}
	if negative {
		minor = -minor
	}
	return Money(minor), nil
}

// allDigits reports whether s is one or more ASCII digits.
func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// String gives the amount with two decimals, such as "45.99" or "-0.05".
func (m Money) String() string { return string(m.append(nil)) }

// append writes the decimal form. It works on the magnitude as unsigned, because -MinInt64 does not exist.
func (m Money) append(b []byte) []byte {
	magnitude := uint64(m)
	if m < 0 {
		b = append(b, '-')
		magnitude = -magnitude
	}
	b = strconv.AppendUint(b, magnitude/100, 10)
	return append(b, '.', byte('0'+magnitude/10%10), byte('0'+magnitude%10))
}

// Add returns m+n, or ErrOverflow.
func (m Money) Add(n Money) (Money, error) {
	sum := m + n
	if (sum > m) != (n > 0) && n != 0 {
		return 0, ErrOverflow
	}
	return sum, nil
}

// Mul returns m·n for a count such as a quantity, or ErrOverflow.
func (m Money) Mul(n int) (Money, error) {
	if m == 0 || n == 0 {
		return 0, nil
	}
	product := m * Money(n)
	if product/Money(n) != m || m == math.MinInt64 && n == -1 || n == math.MinInt64 && m == -1 {
		return 0, ErrOverflow
	}
	return product, nil
}

// MarshalJSONTo writes the JSON number with two decimals, into the encoder's own buffer.
func (m Money) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteValue(m.append(enc.AvailableBuffer()))
}

// MarshalJSON is MarshalJSONTo for encoding/json, which does not know that one.
func (m Money) MarshalJSON() ([]byte, error) { return m.append(nil), nil }

// UnmarshalJSON reads a JSON number exactly. It returns ErrMoney for a string, null, an exponent or a third decimal.
func (m *Money) UnmarshalJSON(data []byte) error {
	v, err := ParseMoney(string(data))
	if err != nil {
		return err
	}
	*m = v
	return nil
}
