// Package live listens to the Redis channels of the orders somebody watches, over one connection.
//
// Redis Pub/Sub forgets what nobody hears, and a connection that comes back says nothing about what it missed. So the
// listener promises no more than this: Confirmed is called each time it begins, or begins again, to hear an order, and
// whatever is published after that is delivered until the next Confirmed. Who needs more reads the order's state after
// each Confirmed.
//
// The connection is remade here and not by the client library, because the library does it without telling.
package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"tiffin/services/tracking"
)

const (
	// pulse is how often a silent connection is asked whether it lives. After two pulses without an answer it is remade:
	// a frozen Redis, or a path that eats packets, would look like a quiet day otherwise.
	pulse = 3 * time.Second
	// chunk bounds the channels of one command.
	chunk = 500

	minPause, maxPause = 50 * time.Millisecond, 2 * time.Second
)

// errSilent ends a connection that does not answer.
var errSilent = errors.New("no answer from Redis")

// Sink takes what is heard. Both methods are called from one goroutine and must be quick: Redis drops a listener that
// reads slowly.
type Sink interface {
	Deliver(orderID, message string)
	Confirmed(orderID string)
}

// Listener keeps track of which orders to listen to. Make it with New.
type Listener struct {
	redis *redis.Client
	log   *slog.Logger
	up    atomic.Bool

	mu    sync.Mutex
	want  map[string]struct{}
	have  map[string]struct{} // asked for on the present connection
	dirty map[string]struct{} // may differ between the two
	wake  chan struct{}
}

// New makes a listener that hears nothing before Run.
func New(client *redis.Client, log *slog.Logger) *Listener {
	return &Listener{
		redis: client, log: log, wake: make(chan struct{}, 1),
		want: map[string]struct{}{}, have: map[string]struct{}{}, dirty: map[string]struct{}{},
	}
}

// Watch begins to listen to an order; Sink.Confirmed tells when it is heard. It does not block.
func (l *Listener) Watch(orderID string) {
	l.mu.Lock()
	l.want[orderID] = struct{}{}
	l.touch(orderID)
	l.mu.Unlock()
}

// Unwatch stops listening to an order. It does not block.
func (l *Listener) Unwatch(orderID string) {
	l.mu.Lock()
	delete(l.want, orderID)
	l.touch(orderID)
	l.mu.Unlock()
}

// touch notes that the order is to be looked at. l.mu is held.
func (l *Listener) touch(orderID string) {
	l.dirty[orderID] = struct{}{}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Up reports whether Redis is being listened to.
func (l *Listener) Up() bool { return l.up.Load() }

// Run listens until ctx ends, through any absence of Redis.
func (l *Listener) Run(ctx context.Context, sink Sink) error {
	pause := minPause
	for {
		began := time.Now()
		err := l.connection(ctx, sink)
		l.up.Store(false)
		if ctx.Err() != nil {
			return nil
		}
		l.log.WarnContext(ctx, "live channel lost, connecting again", "error", err)
		if time.Since(began) > maxPause {
			pause = minPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
			pause = min(2*pause, maxPause)
		}
	}
}

// connection listens over one connection until it fails or ctx ends.
func (l *Listener) connection(ctx context.Context, sink Sink) error {
	pubsub := l.redis.Subscribe(ctx)
	var heard atomic.Int64
	l.mu.Lock()
	clear(l.have)
	for id := range l.want {
		l.touch(id)
	}
	l.mu.Unlock()

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.follow(ctx, pubsub) })
	g.Go(func() error { return l.guard(ctx, pubsub, &heard) })
	g.Go(func() error { return l.receive(ctx, pubsub, sink, &heard) })
	g.Go(func() error {
		<-ctx.Done()
		// A receive under way knows no context; only closing ends it.
		return errors.Join(context.Cause(ctx), pubsub.Close())
	})
	return g.Wait()
}

// receive passes on what is heard.
func (l *Listener) receive(ctx context.Context, pubsub *redis.PubSub, sink Sink, heard *atomic.Int64) error {
	for {
		message, err := pubsub.Receive(ctx)
		if err != nil {
			return err
		}
		heard.Add(1)
		l.up.Store(true)
		switch m := message.(type) {
		case *redis.Message:
			if id, ok := tracking.OrderOfChannel(m.Channel); ok {
				sink.Deliver(id, m.Payload)
			}
		case *redis.Subscription:
			if id, ok := tracking.OrderOfChannel(m.Channel); ok && m.Kind == "subscribe" {
				sink.Confirmed(id)
			}
		}
	}
}

// guard ends the connection when it has gone silent.
func (l *Listener) guard(ctx context.Context, pubsub *redis.PubSub, heard *atomic.Int64) error {
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	last, silent := int64(-1), 0
	for {
		if now := heard.Load(); now != last {
			last, silent = now, 0
		} else if silent++; silent > 2 {
			return errSilent
		}
		if err := pubsub.Ping(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// follow tells Redis what to listen to, as it changes.
func (l *Listener) follow(ctx context.Context, pubsub *redis.PubSub) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
		}
		begin, end := l.changes()
		if err := inChunks(ctx, begin, pubsub.Subscribe); err != nil {
			return err
		}
		if err := inChunks(ctx, end, pubsub.Unsubscribe); err != nil {
			return err
		}
	}
}

// changes takes the difference between what is wanted and what was asked for, as channels.
func (l *Listener) changes() (begin, end []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.dirty {
		_, want := l.want[id]
		_, have := l.have[id]
		switch {
		case want: // also when asked for already: the room may be a new one that waits for its own confirmation
			l.have[id] = struct{}{}
			begin = append(begin, tracking.LiveChannel(id))
		case have:
			delete(l.have, id)
			end = append(end, tracking.LiveChannel(id))
		}
	}
	clear(l.dirty)
	return begin, end
}

// inChunks never calls do with no channels: Unsubscribe would take that for all of them.
func inChunks(ctx context.Context, channels []string, do func(context.Context, ...string) error) error {
	for len(channels) > 0 {
		n := min(len(channels), chunk)
		if err := do(ctx, channels[:n]...); err != nil {
			return err
		}
		channels = channels[n:]
	}
	return nil
}
