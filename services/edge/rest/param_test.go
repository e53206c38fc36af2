package rest_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/edge/rest"
)

func ptr(n float64) *float64 { return &n }

func TestValuesByKind(t *testing.T) {
	t.Parallel()
	const id = "01935c8f-10b2-8b1c-a7c4-1122334455aa"
	for _, c := range []struct {
		param       rest.Param
		value, want string // "" is a refusal
	}{
		{rest.Param{Kind: rest.UUID}, id, `"` + id + `"`},
		{rest.Param{Kind: rest.UUID}, strings.ToUpper(id), `"` + id + `"`},
		{rest.Param{Kind: rest.UUID}, id[:35] + "g", ""},
		{rest.Param{Kind: rest.UUID}, strings.ReplaceAll(id, "-", ""), ""},
		{rest.Param{Kind: rest.UUID}, "01935c8f110b2-8b1c-a7c4-1122334455aa", ""},
		{rest.Param{Kind: rest.ObjectID}, "67409f3e2b1c4d5e6f708190", `"67409f3e2b1c4d5e6f708190"`},
		{rest.Param{Kind: rest.ObjectID}, "67409F3e2b1c4d5e6f708190", ""},
		{rest.Param{Kind: rest.ObjectID}, "67409f3e2b1c4d5e6f70819", ""},
		{rest.Param{Kind: rest.Integer}, "42", "42"},
		{rest.Param{Kind: rest.Integer}, "-0", "0"},
		{rest.Param{Kind: rest.Integer}, "007", "7"},
		{rest.Param{Kind: rest.Integer}, "+7", ""},
		{rest.Param{Kind: rest.Integer}, "9007199254740993", ""},
		{rest.Param{Kind: rest.Integer, Min: ptr(1), Max: ptr(100)}, "100", "100"},
		{rest.Param{Kind: rest.Integer, Min: ptr(1), Max: ptr(100)}, "0", ""},
		{rest.Param{Kind: rest.Integer, Min: ptr(1), Max: ptr(100)}, "101", ""},
		{rest.Param{Kind: rest.Number}, "-122.4194", "-122.4194"},
		{rest.Param{Kind: rest.Number}, "1e2", "100"},
		{rest.Param{Kind: rest.Number}, ".5", "0.5"},
		{rest.Param{Kind: rest.Number}, "1e-400", "0"},
		{rest.Param{Kind: rest.Number}, "1e400", ""},
		{rest.Param{Kind: rest.Number}, "nan", ""},
		{rest.Param{Kind: rest.Number}, "-Infinity", ""},
		{rest.Param{Kind: rest.Number}, "0x1p4", ""},
		{rest.Param{Kind: rest.Number}, "1_000", ""},
		{rest.Param{Kind: rest.Number, Max: ptr(90)}, "90.0001", ""},
		{rest.Param{Kind: rest.Boolean}, "true", "true"},
		{rest.Param{Kind: rest.Boolean}, "True", ""},
		{rest.Param{Kind: rest.Text}, `a"b\c`, `"a\"b\\c"`},
		{rest.Param{Kind: rest.Text}, "café", `"café"`},
		{rest.Param{Kind: rest.Text}, "a\x00b", ""},
		{rest.Param{Kind: rest.Text}, "a\nb", ""},
		{rest.Param{Kind: rest.Text}, "\xff", ""},
		{rest.Param{Kind: rest.Text, Enum: []string{"ready"}}, "ready", `"ready"`},
		{rest.Param{Kind: rest.Text, Enum: []string{"ready"}}, "Ready", ""},
	} {
		got, complaint := c.param.AppendJSON(nil, c.value)
		if c.want == "" {
			require.NotEmpty(t, complaint, "%s %q", c.param.Kind, c.value)
			continue
		}
		require.Empty(t, complaint, "%s %q", c.param.Kind, c.value)
		require.Equal(t, c.want, string(got))
	}
}

func TestComplaintsNameTheBounds(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]rest.Param{
		"must be between 1 and 100": {Kind: rest.Integer, Min: ptr(1), Max: ptr(100)},
		"must be at least 1000":     {Kind: rest.Integer, Min: ptr(1000)},
		"must be at most -1":        {Kind: rest.Integer, Max: ptr(-1)},
	} {
		_, complaint := p.AppendJSON(nil, "500")
		require.Equal(t, want, complaint)
	}
}

// Whatever text is given, it is refused, or becomes a JSON string that means
// exactly the same text.
func TestTextSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		out, complaint := rest.Param{Kind: rest.Text}.AppendJSON(nil, text)
		if complaint != "" {
			return
		}
		var back string
		require.NoError(t, json.Unmarshal(out, &back))
		require.Equal(t, text, back)
	})
}

func TestNumbersSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Float64().Draw(t, "n")
		out, complaint := rest.Param{Kind: rest.Number}.AppendJSON(nil, strconv.FormatFloat(n, 'f', -1, 64))
		require.Equal(t, math.IsInf(n, 0) || math.IsNaN(n), complaint != "")
		if complaint == "" {
			var back float64
			require.NoError(t, json.Unmarshal(out, &back))
			require.InDelta(t, n, back, 0)
		}
	})
}

// A value that passes is a JSON value by itself: nothing in it can end the
// member and begin another.
func FuzzParam(f *testing.F) {
	for _, seed := range []string{"", "1", "true", `","admin":true,"x":"`, "01935c8f-10b2-8b1c-a7c4-1122334455aa", "67409f3e2b1c4d5e6f708190", "1e9", "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, kind := range []rest.Kind{rest.UUID, rest.ObjectID, rest.Text, rest.Integer, rest.Number, rest.Boolean} {
			out, complaint := rest.Param{Name: "p", Kind: kind, Min: ptr(-1000), Max: ptr(1000)}.AppendJSON([]byte(`{"p":`), value)
			if complaint != "" {
				require.False(t, strings.Contains(complaint, value) && len(value) > 12, "the value is not repeated")
				continue
			}
			var object map[string]any
			require.NoError(t, json.Unmarshal(append(out, '}'), &object), "%s %q", kind, value)
			require.Len(t, object, 1)
			require.True(t, utf8.Valid(out))
		}
	})
}
