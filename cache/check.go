package cache

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// checks asks Redis for generations, all that are wanted at a time in one round trip: under load a read costs a
// fraction of one. Each asker gets an answer to a question that was sent after they asked, never an older one.
type checks struct {
	cache *Cache

	mu      sync.Mutex
	next    *batch // gathers while another one is under way; nil when nobody has asked
	sending bool
}

// batch is the keys of one round trip. Generations and err are set before done is closed, and not written afterwards.
type batch struct {
	keys        map[string]struct{}
	done        chan struct{}
	generations map[string]string // without those that Redis does not have
	err         error
}

// generation returns the current generation of key, "" when it has none.
func (c *checks) generation(ctx context.Context, key string) (string, error) {
	b := c.join(key)
	select {
	case <-b.done:
		return b.generations[key], b.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// join adds the key to the batch that has not been sent yet, and sees that it will be.
func (c *checks) join(key string) *batch {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = &batch{keys: make(map[string]struct{}, 1), done: make(chan struct{})}
	}
	c.next.keys[key] = struct{}{}
	if !c.sending {
		c.sending = true
		go c.send()
	}
	return c.next
}

// send does one round trip after another until nobody asks any more.
func (c *checks) send() {
	for {
		c.mu.Lock()
		b := c.next
		c.next = nil
		c.sending = b != nil
		c.mu.Unlock()
		if b == nil {
			return
		}
		b.generations, b.err = guarded(context.Background(), c.cache, func(ctx context.Context) (map[string]string, error) {
			return c.ask(ctx, b.keys)
		})
		close(b.done)
	}
}

// ask is the round trip: a pipeline, since the keys may be on several nodes of a cluster.
func (c *checks) ask(ctx context.Context, keys map[string]struct{}) (map[string]string, error) {
	answers := make(map[string]*redis.StringCmd, len(keys))
	_, err := c.cache.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for key := range keys {
			answers[key] = p.HGet(ctx, key, fieldGeneration)
		}
		return nil
	})
	if err != nil && !isNil(err) {
		return nil, err
	}
	generations := make(map[string]string, len(keys))
	for key, answer := range answers {
		switch generation, err := answer.Result(); {
		case err == nil:
			generations[key] = generation
		case !isNil(err):
			return nil, err
		}
	}
	return generations, nil
}
