package wire_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/wire"
)

type item struct {
	MenuItemID string     `json:"menuItemId"`
	Quantity   int        `json:"quantity"`
	Price      wire.Money `json:"price,omitzero"`
}

type order struct {
	City     string            `json:"city"`
	Items    []item            `json:"items"`
	At       wire.Time         `json:"at,omitzero"`
	Latitude float64           `json:"latitude"`
	Small    int8              `json:"small"`
	Note     *string           `json:"note,omitzero"`
	Tags     map[string]string `json:"tags,omitempty"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	var o order
	require.NoError(t, wire.Decode([]byte(` {"city":"Mérida","items":[{"menuItemId":"a","quantity":2,"price":45.99}],`+
		`"at":"2026-11-22T15:08:39.5+01:00","note":null} `), &o))
	require.Equal(t, order{
		City: "Mérida", Items: []item{{"a", 2, 4599}}, At: wire.At(time.Date(2026, 11, 22, 14, 8, 39, 5e8, time.UTC)),
	}, o)
}

func TestDecodeMalformed(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		"":                                       "empty",
		" \n":                                    "empty",
		"nonsense":                               "syntax",
		`{"city":NaN}`:                           "syntax",
		`{"latitude":1e400}`:                     "number",
		`{"small":-1e400}`:                       "number",
		`{"items":[{"price":1e400}]}`:            "number",
		`{"unknown":0,"tags":{"a":1e400}}`:       "number",
		`{"city":"a"}{}`:                         "syntax",
		`{"city":"a"} x`:                         "syntax",
		`{"city":"a","city":"b"}`:                "duplicate",
		`{"tags":{"a":"1","a":"2"}}`:             "duplicate",
		`{"unknown":{"a":1,"a":2}}`:              "duplicate",
		`{"unknown":1,"city":}`:                  "syntax",
		`{"city":1,"items":[}`:                   "syntax",
		"{\"city\":\"\xff\"}":                    "syntax",
		`{"city":"\ud800"}`:                      "syntax",
		`{"city":"a",}`:                          "syntax",
		`{'city':"a"}`:                           "syntax",
		"\ufeff{}":                               "syntax",
		strings.Repeat("[", 33):                  "deeper than 32",
		`{"city":` + strings.Repeat(`{"a":`, 40): "deeper than 32",
	} {
		err := wire.Decode([]byte(text), new(order))
		var malformed wire.Malformed
		require.ErrorAs(t, err, &malformed, "%q gave %v", text, err)
		require.Contains(t, malformed.Reason, reason, text)
	}
}

func TestDecodeInvalid(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]wire.FieldError{
		`{"role":"admin"}`:                         {Field: "role", Message: "unknown field"},
		`{"City":"a"}`:                             {Field: "City", Message: "unknown field"},
		`{"city":1}`:                               {Field: "city", Message: "wrong type"},
		`{"city":["secret"]}`:                      {Field: "city", Message: "wrong type"},
		`{"items":{}}`:                             {Field: "items", Message: "wrong type"},
		`{"items":[{},{"quantity":"2"}]}`:          {Field: "items[1].quantity", Message: "wrong type"},
		`{"items":[{"quantity":1.5}]}`:             {Field: "items[0].quantity", Message: "wrong type"},
		`{"items":[{"quantity":1e99}]}`:            {Field: "items[0].quantity", Message: "wrong type"},
		`{"small":300}`:                            {Field: "small", Message: "number out of range"},
		`{"items":[{"price":1.005}]}`:              {Field: "items[0].price", Message: "must be a number with at most two decimals"},
		`{"items":[{"price":"1.00"}]}`:             {Field: "items[0].price", Message: "must be a number with at most two decimals"},
		`{"at":"yesterday"}`:                       {Field: "at", Message: "must be an RFC 3339 time"},
		`[]`:                                       {Field: "", Message: "wrong type"},
		`{"tags":{"a.b":1}}`:                       {Field: "tags.a.b", Message: "wrong type"},
		`{"items":[{"menuItemId":"a","extra":0}]}`: {Field: "items[0].extra", Message: "unknown field"},
	} {
		err := wire.Decode([]byte(text), new(order))
		var invalid wire.Invalid
		require.ErrorAs(t, err, &invalid, "%q gave %v", text, err)
		require.Equal(t, wire.Invalid{want}, invalid, text)
	}
}

func TestErrorsNeverRepeatTheValue(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"city":{"p":"hunter2"}}`, `{"small":"hunter2"}`, `{"at":"hunter2"}`, `{"items":"hunter2"}`, `"hunter2"`, `{"city":"hunter2`,
	} {
		err := wire.Decode([]byte(text), new(order))
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestInvalidReads(t *testing.T) {
	t.Parallel()
	err := error(wire.Invalid{{Field: "a", Message: "b"}, {Message: "c"}})
	require.EqualError(t, err, "invalid: a: b; c")
	require.EqualError(t, wire.Malformed{Reason: "empty"}, "malformed JSON: empty")
}

func TestEncode(t *testing.T) {
	t.Parallel()
	data, err := wire.Encode(order{City: "<Mérida>\xff", Tags: map[string]string{"b": "2", "a": "1"}})
	require.NoError(t, err)
	require.Equal(t, `{"city":"<Mérida>`+"\ufffd"+`","items":[],"latitude":0,"small":0,"tags":{"a":"1","b":"2"}}`, string(data))
	_, err = wire.Encode(math.Inf(1))
	require.Error(t, err)
}

func TestEncodeDecodeRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := order{City: rapid.String().Draw(t, "city"), Latitude: rapid.Float64().Draw(t, "latitude"), Items: []item{}}
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			in.Items = append(in.Items, item{rapid.String().Draw(t, "id"), rapid.Int().Draw(t, "n"), amount(t, "price")})
		}
		data, err := wire.Encode(in)
		require.NoError(t, err)
		var out order
		require.NoError(t, wire.Decode(data, &out))
		require.Equal(t, in, out)
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"city":"a","items":[{"menuItemId":"x","quantity":1,"price":45.99}]}`))
	f.Add([]byte(`{"city":"a","city":"b"}`))
	f.Add([]byte(strings.Repeat("[", 50)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var o order
		err := wire.Decode(data, &o)
		if err == nil {
			out, err := wire.Encode(o)
			require.NoError(t, err)
			var again order
			require.NoError(t, wire.Decode(out, &again), "what was accepted can be sent on")
			return
		}
		var invalid wire.Invalid
		var malformed wire.Malformed
		require.True(t, errors.As(err, &invalid) || errors.As(err, &malformed), "every refusal has a status: %v", err)
	})
}

// placing is a request of ordinary size.
var placing = []byte(`{"city":"San Francisco","items":[{"menuItemId":"0192f7e4-0000-8abc-8000-000000000000","quantity":2,"price":45.99},` +
	`{"menuItemId":"0192f7e4-0000-8abc-8000-000000000001","quantity":1,"price":9.50}],"at":"2026-11-22T14:08:39.000Z","latitude":37.78}`)

// BenchmarkDecode allocates what the value consists of: two strings an item with their list, the city; and a reader's
// state, which package json pools.
func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var o order
		if err := wire.Decode(placing, &o); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncode allocates the text, and each text of money and time on its way there.
func BenchmarkEncode(b *testing.B) {
	var o order
	require.NoError(b, wire.Decode(placing, &o))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Encode(o); err != nil {
			b.Fatal(err)
		}
	}
}
