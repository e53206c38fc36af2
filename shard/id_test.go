package shard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/shard"
)

func TestIDsCarryTheirRegion(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	rapid.Check(t, func(t *rapid.T) {
		region := rapid.SampledFrom(router.Regions()).Draw(t, "region")
		before := time.Now().UnixMilli()
		id := router.NewID(region)
		after := time.Now().UnixMilli()

		parsed, err := shard.ParseID(id)
		require.NoError(t, err)
		require.Len(t, id, 36)
		require.Equal(t, uuid.Version(8), parsed.Version())
		require.Equal(t, uuid.RFC4122, parsed.Variant())
		stamp := int64(parsed[0])<<40 | int64(parsed[1])<<32 | int64(parsed[2])<<24 | int64(parsed[3])<<16 | int64(parsed[4])<<8 | int64(parsed[5])
		require.GreaterOrEqual(t, stamp, before)
		require.LessOrEqual(t, stamp, after)

		found, err := router.RegionOf(strings.ToUpper(id))
		require.NoError(t, err)
		require.Equal(t, region, found)
		route, err := router.RouteID(id)
		require.NoError(t, err)
		home, _ := router.ShardOf(region)
		require.Equal(t, shard.Route{Region: region, Shard: home, Via: shard.ViaID}, route)
	})
}

// TestRegionCodesNeverChange pins the codes: ids that are out in the world were
// made with them.
func TestRegionCodesNeverChange(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	codes := map[shard.Region]string{}
	for _, region := range router.Regions() {
		codes[region] = router.NewID(region)[15:18]
	}
	require.Equal(t, map[shard.Region]string{
		"ca": "695", "mx": "d7f", "us-central": "b8f", "us-east": "9c5", "us-south": "061", "us-west": "568",
	}, codes)
}

func TestIDsAreUnique(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	seen := make(map[string]bool, 100_000)
	for range 100_000 {
		id := router.NewID("mx")
		require.False(t, seen[id])
		seen[id] = true
	}
}

func TestWhatIsNoID(t *testing.T) {
	t.Parallel()
	router := newRouter(t)
	id := router.NewID("ca")
	for name, s := range map[string]string{
		"empty": "", "word": "order", "braces": "{" + id + "}", "urn": "urn:uuid:" + id, "no hyphens": strings.ReplaceAll(id, "-", ""),
		"space": id + " ", "short": id[:35], "version 4": uuid.NewString(), "nil": uuid.Nil.String(), "max": uuid.Max.String(),
		"wildcard": strings.Repeat("*", 36), "variant": id[:19] + "0" + id[20:], "ObjectID": "507f1f77bcf86cd799439011",
	} {
		_, err := shard.ParseID(s)
		require.ErrorIs(t, err, shard.ErrBadID, name)
		_, err = router.RouteID(s)
		require.ErrorIs(t, err, shard.ErrBadID, name)
	}
	_, err := shard.ParseID(router.NewID("atlantis"))
	require.NoError(t, err)
	_, err = router.RegionOf(router.NewID("atlantis"))
	require.ErrorIs(t, err, shard.ErrBadID, "a region of some other fleet")
}

func FuzzParseID(f *testing.F) {
	router := newRouter(f)
	f.Add(router.NewID("mx"))
	f.Add(uuid.NewString())
	f.Add("{00000000-0000-8000-8000-000000000000}")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := shard.ParseID(s)
		if err != nil {
			require.ErrorIs(t, err, shard.ErrBadID)
			return
		}
		require.Equal(t, strings.ToLower(s), id.String(), "one row has one id")
		if _, err := router.RegionOf(s); err != nil {
			require.ErrorIs(t, err, shard.ErrBadID)
		}
	})
}

func BenchmarkNewID(b *testing.B) {
	router := newRouter(b)
	b.ReportAllocs()
	for b.Loop() {
		router.NewID("mx")
	}
}

func BenchmarkRouteID(b *testing.B) {
	router := newRouter(b)
	id := router.NewID("mx")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := router.RouteID(id); err != nil {
			b.Fatal(err)
		}
	}
}
