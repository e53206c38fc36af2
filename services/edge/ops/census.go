package ops

import (
	"context"
	_ "embed"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// The rhythm of the census, and after how many seconds of silence an edge is no
// longer counted.
const (
	censusEvery   = time.Second
	censusTimeout = 900 * time.Millisecond
	censusTTL     = 5
	censusKey     = "edge:sockets"
)

//go:embed census.lua
var censusLua string

// Sockets are the clients that hold a connection for live events.
type Sockets struct {
	Total int64 `json:"total"` // over all edges, any transport
	Edges int64 `json:"edges"` // that have been heard of lately
}

// Census counts the sockets of all edges. Edges do not know each other, so each
// writes its own number to Redis and learns the sum. Make it with NewCensus.
type Census struct {
	redis  *redis.Client
	script *redis.Script
	edge   string
	count  func() int64
	last   atomic.Pointer[Sockets] // nil: Redis did not answer the last time
}

// NewCensus makes the census of an edge that holds count() sockets.
func NewCensus(client *redis.Client, count func() int64) *Census {
	return &Census{redis: client, script: redis.NewScript(censusLua), edge: uuid.NewString(), count: count}
}

// Run counts each second until ctx ends, and returns nil. An edge that is gone is
// forgotten by the others within seconds.
func (c *Census) Run(ctx context.Context) error {
	tick := time.NewTicker(censusEvery)
	defer tick.Stop()
	for {
		sockets, err := c.take(ctx)
		if err != nil {
			sockets = nil // readiness reports Redis; an old number would only mislead
		}
		c.last.Store(sockets)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// take writes this edge's number down and reads the sum.
func (c *Census) take(ctx context.Context) (*Sockets, error) {
	ctx, cancel := context.WithTimeout(ctx, censusTimeout)
	defer cancel()
	sums, err := c.script.Run(ctx, c.redis, []string{censusKey}, c.edge, c.count(), censusTTL).Int64Slice()
	if err != nil {
		return nil, fmt.Errorf("census: %w", err)
	}
	if len(sums) != 2 {
		return nil, fmt.Errorf("census: %d sums", len(sums))
	}
	return &Sockets{Edges: sums[0], Total: sums[1]}, nil
}

// Sockets gives the newest count, nil while Redis does not answer.
func (c *Census) Sockets() *Sockets { return c.last.Load() }
