package shard

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tiffin/shard/sealed"
)

// Options are the knobs of Open. The zero value is usable.
type Options struct {
	Log      *slog.Logger          // default: discard
	Metrics  prometheus.Registerer // nil: no metrics
	MaxConns int                   // connections per shard and process; default 10
	Timeout  time.Duration         // longest any call may take on a shard; default 2s
	Name     string                // application_name at the server; default "tiffin"
	Keys     *sealed.Keys          // of personal data; nil: it is stored as plain text
	MaxLag   time.Duration         // how old an answer of DB.Stale may be; default 1s
	Traced   bool                  // round trips of a recorded trace become spans of it
}

func (o Options) withDefaults() Options {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.MaxConns = cmp.Or(o.MaxConns, 10)
	o.Timeout = cmp.Or(o.Timeout, 2*time.Second)
	o.Name = cmp.Or(o.Name, "tiffin")
	o.MaxLag = cmp.Or(o.MaxLag, DefaultMaxLag)
	return o
}

// Set is the pools of all shards. It is safe for concurrent use; Close ends it.
type Set struct {
	router   *Router
	nodes    map[string]*node
	order    []*node           // by shard id
	initial  map[Region]string // homes by configuration
	opts     Options
	settling sync.Mutex

	// background is what lives as long as the set: the ownership watches and
	// migrations of shards that are away.
	background sync.WaitGroup
	ctx        context.Context
	cancel     context.CancelFunc
}

// Open makes the pools without waiting for a connection: a dead shard does not
// stop the start. It fails only for a URL that is missing or cannot be parsed,
// and names its variable. The set lives until Close, whatever becomes of ctx.
func Open(ctx context.Context, router *Router, config Config, opts Options) (*Set, error) {
	s := &Set{
		router:  router,
		nodes:   map[string]*node{},
		initial: maps.Clone(*router.homes.Load()),
		opts:    opts.withDefaults(),
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, shard := range config.Shards {
		if shard.URL == "" {
			s.Close()
			return nil, fmt.Errorf("POSTGRES_SHARD_%s_URL: missing, but %s is set", strings.ToUpper(shard.ID), variable(shard.ID))
		}
		n, err := newNode(shard, s.opts)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.nodes[n.id] = n
	}
	for _, id := range router.Shards() {
		n, exists := s.nodes[id]
		if !exists {
			s.Close()
			return nil, fmt.Errorf("shard: router and configuration differ: no shard %q to open", id)
		}
		s.order = append(s.order, n)
	}
	if opts.Metrics != nil {
		if err := opts.Metrics.Register(newCollector(s)); err != nil {
			s.Close()
			return nil, fmt.Errorf("shard: metrics: %w", err)
		}
	}
	for _, n := range s.order {
		s.background.Go(func() { s.watch(s.ctx, n) })
		if n.replica != nil {
			s.background.Go(func() { n.replica.watch(s.ctx) })
		}
	}
	return s, nil
}

// Close ends background work and closes all pools, waiting for connections in
// use.
func (s *Set) Close() {
	s.cancel()
	s.background.Wait()
	for _, n := range s.nodes {
		n.close()
	}
}

// Keys are those of personal data, nil when it is stored as plain text.
func (s *Set) Keys() *sealed.Keys { return s.opts.Keys }

// Router gives the router the set was opened with.
func (s *Set) Router() *Router { return s.router }

// ByID gives the database of the region inside an id. It fails with ErrBadID
// when the id is not of this fleet.
func (s *Set) ByID(id string) (*DB, error) {
	region, err := s.router.RegionOf(id)
	if err != nil {
		return nil, err
	}
	return s.ByRegion(region)
}

// ByRegion gives the database of a region, wherever it lives now or is moved to
// later.
func (s *Set) ByRegion(region Region) (*DB, error) {
	if _, known := s.router.ShardOf(region); !known {
		return nil, fmt.Errorf("shard: region %q is not configured", region)
	}
	return &DB{set: s, region: region}, nil
}

// ByShard gives the database of one shard by id, nil when there is no such
// shard.
func (s *Set) ByShard(id string) *DB {
	n, known := s.nodes[id]
	if !known {
		return nil
	}
	return &DB{set: s, fixed: n}
}

// All gives the databases of all shards, sorted by id.
func (s *Set) All() []*DB {
	dbs := make([]*DB, len(s.order))
	for i, n := range s.order {
		dbs[i] = &DB{set: s, fixed: n}
	}
	return dbs
}

// Health pings every shard at once, each for half a second at most, and gives
// "postgres.<id>" → nil or what is wrong. A shard whose migrations have not run
// is not well either. "postgres.<id>.replica" says why a replica is not read.
func (s *Set) Health(ctx context.Context) map[string]error {
	health := make(map[string]error, len(s.order))
	var lock sync.Mutex
	var group sync.WaitGroup
	for _, n := range s.order {
		group.Go(func() {
			err := n.ping(ctx)
			if err == nil && n.pending.Load() > 0 {
				err = &UnavailableError{Shard: n.id, Err: errMigrating}
			}
			lock.Lock()
			defer lock.Unlock()
			health["postgres."+n.id] = err
			if n.replica != nil {
				health["postgres."+n.id+replicaSuffix] = n.replica.unfit()
			}
		})
	}
	group.Wait()
	return health
}
