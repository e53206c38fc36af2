package wire_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/wire"
)

func TestTimeText(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("", 3600)
	for want, at := range map[string]time.Time{
		`"2026-11-22T14:08:39.000Z"`: time.Date(2026, 11, 22, 14, 8, 39, 0, time.UTC),
		`"2026-11-22T14:08:39.120Z"`: time.Date(2026, 11, 22, 15, 8, 39, 120999999, berlin),
		`"0001-01-01T00:00:00.000Z"`: {},
	} {
		data, err := json.Marshal(wire.At(at))
		require.NoError(t, err)
		require.Equal(t, want, string(data))
	}
	_, err := json.Marshal(wire.Time{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.ErrorIs(t, err, wire.ErrTime)
}

func TestTimeRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`null`, `0`, `""`, `"2026-11-22"`, `"2026-11-22T14:08:39"`, `"2026-11-22 14:08:39Z"`, `"2026-02-30T00:00:00Z"`,
		`"2026-11-22T24:00:00Z"`, `"2026-11-22T14:08:39,000Z"`, `"`,
	} {
		var at wire.Time
		require.Error(t, at.UnmarshalJSON([]byte(text)), text)
	}
}

func TestTimeRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := wire.At(time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "ns")))
		data, err := json.Marshal(at)
		require.NoError(t, err)
		require.Len(t, data, len(`"2026-11-22T14:08:39.000Z"`), "equal times have equal texts")
		var back wire.Time
		require.NoError(t, json.Unmarshal(data, &back))
		require.True(t, at.Equal(back.Time))
		require.Equal(t, time.UTC, back.Location())
	})
}

func FuzzTime(f *testing.F) {
	f.Add([]byte(`"2026-11-22T14:08:39.123456789+01:00"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var at wire.Time
		if at.UnmarshalJSON(data) != nil {
			return
		}
		out, err := at.MarshalJSON()
		if err != nil {
			return // an offset can carry the year out of RFC 3339
		}
		var again wire.Time
		require.NoError(t, again.UnmarshalJSON(out))
		require.True(t, at.Equal(again.Time))
	})
}
