package cache

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"tiffin/flight"
)

const (
	fieldGeneration = "g"
	fieldValue      = "v"
	closedPrefix    = "!" // begins the generation of a key that a writer has closed

	// loadTimeout bounds a load, which outlives the caller that started it.
	loadTimeout = 3 * time.Second
	// headStart is how long other processes leave a load to the one that began it, polling every headStartPoll.
	headStart     = 500 * time.Millisecond
	headStartPoll = 15 * time.Millisecond
)

var (
	//go:embed open.lua
	openSource string
	//go:embed fill.lua
	fillSource string

	openScript = redis.NewScript(openSource)
	fillScript = redis.NewScript(fillSource)
)

// KindConfig describes one kind of cached value.
type KindConfig[T any] struct {
	Name   string // the first part of every key, and the metric's label
	TTL    time.Duration
	Encode func(T) ([]byte, error)
	Decode func([]byte) (T, error)
	Copies int // decoded values kept in this process; default 1024
}

// Kind is the values of one type in the cache. It is safe for concurrent use; values are shared between readers, who
// must not change them.
type Kind[T any] struct {
	cache  *Cache
	cfg    KindConfig[T]
	flight flight.Group[T]
	loads  atomic.Int64

	mu     sync.RWMutex
	copies map[string]copied[T]
}

type copied[T any] struct {
	generation string
	value      T
}

// NewKind returns a kind of values kept in c.
func NewKind[T any](c *Cache, cfg KindConfig[T]) *Kind[T] {
	if cfg.Copies == 0 {
		cfg.Copies = 1024
	}
	return &Kind[T]{cache: c, cfg: cfg, copies: make(map[string]copied[T])}
}

// Key is the Redis key of name, for Change.
func (k *Kind[T]) Key(name string) string { return k.cfg.Name + ":" + name }

// Get returns the value of name: from memory or Redis while nothing has changed, else from source. Errors of source
// are returned and not cached; an absent Redis is not an error. Source runs with a context of its own of a few seconds.
func (k *Kind[T]) Get(ctx context.Context, name string, source func(context.Context) (T, error)) (T, error) {
	key := k.Key(name)
	if value, ok := k.fast(ctx, key); ok {
		return value, nil
	}
	return k.flight.Do(ctx, key, func(ctx context.Context) (T, error) {
		ctx, cancel := context.WithTimeout(ctx, loadTimeout)
		defer cancel()
		return k.load(ctx, key, source)
	})
}

// fast tries what one round trip can do.
func (k *Kind[T]) fast(ctx context.Context, key string) (value T, ok bool) {
	if k.cache.rdb == nil || k.cache.owes(key) {
		return value, false
	}
	k.mu.RLock()
	mine, have := k.copies[key]
	k.mu.RUnlock()
	if have {
		generation, err := k.cache.checks.generation(ctx, key)
		if err == nil && generation == mine.generation {
			k.count("memory")
			return mine.value, true
		}
		return value, false
	}
	return k.shared(ctx, key)
}

// shared reads the value from Redis and keeps a copy.
func (k *Kind[T]) shared(ctx context.Context, key string) (value T, ok bool) {
	found, err := guarded(ctx, k.cache, func(ctx context.Context) ([]any, error) {
		return k.cache.rdb.HMGet(ctx, key, fieldGeneration, fieldValue).Result()
	})
	if err != nil || len(found) != 2 {
		return value, false
	}
	return k.decode(ctx, key, found[0], found[1])
}

// decode takes what Redis answered for generation and value; it is a miss when either is absent or unreadable.
func (k *Kind[T]) decode(ctx context.Context, key string, generation, data any) (value T, ok bool) {
	g, isText := generation.(string)
	v, isData := data.(string)
	if !isText || !isData {
		return value, false
	}
	value, err := k.cfg.Decode([]byte(v))
	if err != nil {
		// Another version of this program wrote it. The source knows better.
		k.cache.log.WarnContext(ctx, "cached value is unreadable", "key", key, "error", err)
		return value, false
	}
	k.keep(key, g, value)
	k.count("redis")
	return value, true
}

// load gets the value from the source, and into the cache if no writer comes by meanwhile.
func (k *Kind[T]) load(ctx context.Context, key string, source func(context.Context) (T, error)) (T, error) {
	generation, value, ok := k.open(ctx, key)
	if ok {
		return value, nil
	}
	k.count("source")
	k.loads.Add(1)
	value, err := source(ctx)
	if err != nil || generation == "" || strings.HasPrefix(generation, closedPrefix) {
		return value, err
	}
	data, err := k.cfg.Encode(value)
	if err != nil {
		return value, fmt.Errorf("encode %s: %w", k.cfg.Name, err)
	}
	stored, err := guarded(ctx, k.cache, func(ctx context.Context) (int, error) {
		return fillScript.Run(ctx, k.cache.rdb, []string{key}, generation, data).Int()
	})
	if err == nil && stored == 1 {
		k.keep(key, generation, value)
	}
	return value, nil
}

// open returns the generation to load under, or the value when another process has loaded it. The generation is empty
// when Redis cannot help.
func (k *Kind[T]) open(ctx context.Context, key string) (generation string, value T, ok bool) {
	if k.cache.rdb == nil || k.cache.owes(key) {
		return "", value, false
	}
	for waited := time.Duration(0); ; waited += headStartPoll {
		fields, err := k.openOnce(ctx, key)
		if err != nil {
			return "", value, false
		}
		generation, _ = fields[0].(string) // absent reads as "", with which nothing is stored
		if value, ok = k.decode(ctx, key, fields[0], fields[1]); ok {
			return generation, value, true
		}
		if loader, _ := fields[2].(int64); loader == 1 || waited >= headStart {
			return generation, value, false
		}
		select {
		case <-ctx.Done():
			return "", value, false
		case <-time.After(headStartPoll):
		}
	}
}

var errAnswer = errors.New("unexpected answer of the cache script")

// openOnce asks for generation, value and whether to load, in one step: two readers must not both think they are first.
func (k *Kind[T]) openOnce(ctx context.Context, key string) ([]any, error) {
	fields, err := guarded(ctx, k.cache, func(ctx context.Context) ([]any, error) {
		return openScript.Run(ctx, k.cache.rdb, []string{key},
			newGeneration(), k.cfg.TTL.Milliseconds(), headStart.Milliseconds()).Slice()
	})
	if err == nil && len(fields) != 3 {
		err = errAnswer
	}
	return fields, err
}

// keep stores a copy in this process. When full, any one makes room: map order is random, and a copy costs one decoding.
func (k *Kind[T]) keep(key, generation string, value T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, replace := k.copies[key]; !replace && len(k.copies) >= k.cfg.Copies {
		for other := range k.copies {
			delete(k.copies, other)
			break
		}
	}
	k.copies[key] = copied[T]{generation, value}
}

// Loads is how often the source was asked since the start.
func (k *Kind[T]) Loads() int { return int(k.loads.Load()) }

// count tells the metric where a value came from.
func (k *Kind[T]) count(from string) { k.cache.reads.WithLabelValues(k.cfg.Name, from).Inc() }

// newGeneration makes a token that no key ever has again, so that an equal generation means an equal value.
func newGeneration() string { return uuid.NewString() }
