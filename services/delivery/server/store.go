package server

import (
	"time"

	"tiffin/services/geo"
	"tiffin/shard"
)

// store is the service's PostgreSQL: with deliverytx, the only place that knows the schema "delivery".
type store struct {
	shards    *shard.Set
	offerTTL  time.Duration
	silentTTL time.Duration
	reach     float64 // dispatch radius as a chord of the unit sphere
	metrics   metrics
}

func newStore(cfg Config) *store {
	return &store{
		shards:    cfg.Shards,
		offerTTL:  cfg.OfferTTL,
		silentTTL: cfg.SilentTTL,
		reach:     geo.Chord(cfg.DispatchRadiusKM),
		metrics:   newMetrics(cfg.Metrics),
	}
}
