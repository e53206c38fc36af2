package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// ticket is one request waiting for its decision. done has room for one, so the
// batcher never waits for the asker.
type ticket struct {
	rate int
	keys [2]string
	done chan Decision
}

// newTicket makes a ticket of its own, for whoever must not share.
func newTicket(rate int, keys [2]string) *ticket {
	return &ticket{rate: rate, keys: keys, done: make(chan Decision, 1)}
}

// tickets are reused, mostly for the sake of their channels. A ticket is
// released by whoever received its decision, and nobody keeps it after that.
var tickets = sync.Pool{New: func() any { return newTicket(0, [2]string{}) }}

// acquire takes a ticket from the pool.
func acquire(rate int, keys [2]string) *ticket {
	t, ok := tickets.Get().(*ticket)
	if !ok {
		return newTicket(rate, keys)
	}
	t.rate, t.keys = rate, keys
	return t
}

// release gives a ticket back. Its channel must be empty.
func release(t *ticket) { tickets.Put(t) }

// Run keeps the limiter on Redis until ctx ends, and then decides locally
// whatever still comes. It returns nil.
func (l *Limiter) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { l.probe(ctx); return nil })
	g.Go(func() error { l.serve(ctx); return nil })
	err := g.Wait()
	l.setAway(true)
	close(l.ended)
	return errors.Join(err, l.redis.Close())
}

// serve takes everything that waits, up to maxBatch, and decides it in one
// round trip. Under load a batch fills while the one before is under way;
// without load a request goes out at once. One round trip at a time: with two,
// each would be half as full, which cost 4 % of all reads.
func (l *Limiter) serve(ctx context.Context) {
	batch := make([]*ticket, 0, maxBatch)
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-l.queue:
			batch = append(batch[:0], t)
		}
		for more := true; more && len(batch) < maxBatch; {
			select {
			case t := <-l.queue:
				batch = append(batch, t)
			default:
				more = false
			}
		}
		l.answer(ctx, batch)
	}
}

// answer decides the batch by Redis, or locally if Redis fails or was found
// failing while the batch waited.
func (l *Limiter) answer(ctx context.Context, batch []*ticket) {
	if !l.away.Load() {
		err := l.decide(ctx, batch)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			l.log.Warn("rate limits are local: redis failed", "error", err)
		}
		l.setAway(true)
	}
	for _, t := range batch {
		t.done <- l.local.take(t.rate, t.keys)
	}
}

// decide runs the script. On an error no ticket has been answered.
func (l *Limiter) decide(ctx context.Context, batch []*ticket) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	keys := make([]string, 0, 2*len(batch))
	args := make([]any, 0, 3*len(batch))
	for _, t := range batch {
		n := 0
		for _, k := range t.keys {
			if k != "" {
				keys = append(keys, keyPrefix+k)
				n++
			}
		}
		args = append(args, n, strconv.FormatInt(interval(t.rate).Microseconds(), 10), t.rate)
	}
	answer, err := l.script.Run(ctx, l.redis, keys, args...).Int64Slice()
	if err != nil {
		return err
	}
	if len(answer) != 4*len(batch) {
		return fmt.Errorf("script answered %d numbers for %d requests", len(answer), len(batch))
	}
	for i, t := range batch {
		a := answer[4*i:]
		t.done <- Decision{
			Allowed: a[0] == 1, Limit: t.rate, Remaining: int(a[1]),
			RetryAfter: time.Duration(a[2]) * time.Microsecond, Reset: time.Duration(a[3]) * time.Microsecond,
		}
	}
	return nil
}

// interval is the time between two requests at the rate.
func interval(rate int) time.Duration { return time.Second / time.Duration(rate) }
