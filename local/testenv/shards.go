package testenv

import (
	"testing"

	"tiffin/config"
	"tiffin/shard"
)

// Shards returns the configuration of three fresh, empty shards with the
// default regions.
func Shards(t testing.TB) shard.Config {
	t.Helper()
	defaults := must[config.Config](t, "config")(config.FromMap(nil))
	urls := ShardURLs(t)
	var c shard.Config
	for _, s := range defaults.Shards {
		c.Shards = append(c.Shards, shard.ShardConfig{ID: s.ID, URL: urls[s.ID], Regions: s.Regions})
	}
	return c
}

// ShardSet returns the pools of three fresh, empty shards with the default
// regions. It is closed with the test.
func ShardSet(t testing.TB) *shard.Set {
	t.Helper()
	c := Shards(t)
	router := must[*shard.Router](t, "router")(shard.NewRouter(c))
	set := must[*shard.Set](t, "shards")(shard.Open(t.Context(), router, c, shard.Options{}))
	t.Cleanup(set.Close)
	return set
}
