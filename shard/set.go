package shard

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// Options are the knobs of Open. The zero value is usable.
type Options struct {
	Log      *slog.Logger          // default: discard
	Metrics  prometheus.Registerer // nil: no metrics
	MaxConns int                   // connections per shard and process; default 10
	Timeout  time.Duration         // longest any call may take on a shard; default 2s
	Name     string                // application_name at the server; default "tiffin"
}

// Set is the pools of all shards. It is safe for concurrent use; Close ends it.
type Set struct {
	router *Router
	nodes  map[string]*node
	order  []*node // by shard id
	opts   Options
}

// node is one shard's pool.
type node struct {
	id   string
	pool *pgxpool.Pool
}

// Open makes the pools without connecting: a dead shard does not stop the start. It fails only for a URL that
// cannot be parsed, and names its variable.
func Open(ctx context.Context, router *Router, config Config, opts Options) (*Set, error) {
	set := &Set{router: router, nodes: map[string]*node{}, opts: opts}
	for _, shard := range config.Shards {
		pool, err := pgxpool.New(ctx, shard.URL)
		if err != nil {
			return nil, fmt.Errorf("POSTGRES_SHARD_%s_URL: unusable", shard.ID)
		}
		set.nodes[shard.ID] = &node{id: shard.ID, pool: pool}
		set.order = append(set.order, set.nodes[shard.ID])
	}
	return set, nil
}

// Router gives the router the set was opened with.
func (s *Set) Router() *Router { return s.router }

// Close ends background work and closes all pools, waiting for connections in use.
func (s *Set) Close() {
	for _, node := range s.order {
		node.pool.Close()
	}
}

// ByID gives the database of the region inside an id. It fails with ErrBadID when the id is not of this fleet.
func (s *Set) ByID(id string) (*DB, error) {
	region, err := s.router.RegionOf(id)
	if err != nil {
		return nil, err
	}
	return s.ByRegion(region)
}

// ByRegion gives the database of a region, wherever it lives now or is moved to later.
func (s *Set) ByRegion(region Region) (*DB, error) {
	if _, known := s.router.ShardOf(region); !known {
		return nil, fmt.Errorf("shard: region %q is not configured", region)
	}
	return &DB{set: s, region: region}, nil
}

// ByShard gives the database of one shard by id, nil when there is no such shard.
func (s *Set) ByShard(id string) *DB {
	node, known := s.nodes[id]
	if !known {
		return nil
	}
	return &DB{set: s, fixed: node}
}

// All gives the databases of all shards, sorted by id.
func (s *Set) All() []*DB {
	dbs := make([]*DB, len(s.order))
	for i, node := range s.order {
		dbs[i] = &DB{set: s, fixed: node}
	}
	return dbs
}

// Health pings every shard at once and gives "postgres.<id>" → nil or what is wrong.
func (s *Set) Health(ctx context.Context) map[string]error {
	health := make(map[string]error, len(s.order))
	for _, node := range s.order {
		health["postgres."+node.id] = node.pool.Ping(ctx)
	}
	return health
}
