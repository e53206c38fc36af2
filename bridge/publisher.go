package bridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
)

// What ends a session besides a lost connection. The events it was about are published again by the next one.
var (
	errRefused  = errors.New("RabbitMQ refused an event")
	errReturned = errors.New("RabbitMQ returned an event")
	errStuck    = errors.New("RabbitMQ confirms nothing any more")
)

// stuckAfter is how long a publish may stay unconfirmed, with RabbitMQ not blocked, before another connection is tried.
// A slow broker confirms something in that time.
const stuckAfter = time.Minute

// maxWhole bounds the events that wait to be published, with their payloads. RabbitMQ slows publishers down by reading
// slowly; the window would fill with payloads then, and what has been published needs only its place in the stream.
const maxWhole = 512

// item is an event on its way, with its place in the stream.
type item struct {
	seq   uint64
	event micro.Event
	// skip is set for poison: the event counts as confirmed without having been published.
	skip bool
	// span lasts from the publish to the confirm; nil for an event of no recorded trace.
	span trace.Span
}

// publisher pipelines events over one connection: publish and confirms run beside each other, and what is in between is
// bounded by size. It lives for one session.
type publisher struct {
	rabbit  *rabbit
	window  *window[item]
	size    int
	traces  traces
	slots   chan struct{}     // one for each entry of the window
	whole   chan struct{}     // one for each entry that is not published yet, and so has its payload
	queued  chan *entry[item] // may be published now
	sent    chan *entry[item] // published, in order: the confirms come in the same
	settled func(seq uint64, n int)
	blocked func(bool)
	stopped atomic.Bool // RabbitMQ is blocked

	once    sync.Once
	failure chan struct{} // closed when err is set
	err     error
}

// newPublisher makes a publisher on a connection. settled hears of each rise of the floor: everything up to seq is
// confirmed, n more events than before. blocked hears when RabbitMQ stops and starts taking publishes.
func newPublisher(r *rabbit, size int, spans traces, settled func(seq uint64, n int), blocked func(bool)) (*publisher, error) {
	if err := r.channel.Confirm(false); err != nil {
		return nil, fmt.Errorf("confirm mode: %w", err)
	}
	return &publisher{
		rabbit: r, window: newWindow[item](), size: size, traces: spans, slots: make(chan struct{}, size),
		whole:  make(chan struct{}, min(size, maxWhole)),
		queued: make(chan *entry[item], size), sent: make(chan *entry[item], size),
		settled: settled, blocked: blocked, failure: make(chan struct{}),
	}, nil
}

// fail ends the publisher with the first error.
func (p *publisher) fail(err error) {
	p.once.Do(func() {
		p.err = err
		close(p.failure)
	})
}

// add hands in an event, in stream order. It waits for room in the window, and returns an error when the publisher has
// failed or ctx has ended.
func (p *publisher) add(ctx context.Context, it item) error {
	for _, room := range []chan struct{}{p.slots, p.whole} {
		select {
		case room <- struct{}{}:
		case <-p.failure:
			return p.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	e := &entry[item]{key: it.event.Key, event: it}
	if p.window.add(e) {
		p.queued <- e
	}
	return nil
}

// run publishes and confirms until the window is closed and empty, and returns nil; or until something fails.
func (p *publisher) run(ctx context.Context) error {
	// Without a buffer, a returned event is known before its confirm: the reader hands over one after the other.
	returns := p.rabbit.channel.NotifyReturn(make(chan amqp.Return))
	confirms := p.rabbit.channel.NotifyPublish(make(chan amqp.Confirmation, p.size))
	var running sync.WaitGroup
	running.Go(func() { p.publishLoop(ctx) })
	p.confirmLoop(ctx, returns, confirms)
	running.Wait()
	// The reader of a failed connection may still be handing over, and its close waits for it.
	go func() {
		for range returns {
		}
	}()
	select {
	case <-p.failure:
		return p.err
	default:
		return nil
	}
}

// publishLoop sends what may be sent, and nothing while RabbitMQ is blocked.
func (p *publisher) publishLoop(ctx context.Context) {
	for {
		queued := p.queued
		if p.stopped.Load() {
			queued = nil
		}
		select {
		case b, open := <-p.rabbit.blocked:
			if !open {
				return // with the connection; confirmLoop says why
			}
			p.stopped.Store(b.Active)
			p.blocked(b.Active)
		case e := <-queued:
			if err := p.publish(e); err != nil {
				p.fail(err)
				return
			}
		case <-p.window.empty:
			return
		case <-p.failure:
			return
		case <-ctx.Done():
			return
		}
	}
}

// publish sends one event. It is on the list of sent ones before RabbitMQ can have confirmed it. The window keeps no more
// of it than confirming takes: should it have to be sent again, it comes from the stream again.
func (p *publisher) publish(e *entry[item]) error {
	<-p.whole
	if e.event.skip {
		p.confirm(e)
		return nil
	}
	event := e.event.event
	e.event.event = micro.Event{ID: event.ID}
	e.event.span = p.traces.begin(&event)
	p.sent <- e
	_, err := p.rabbit.channel.PublishWithDeferredConfirm(exchange, event.Type, true, false, message(&event))
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// confirmLoop settles what RabbitMQ confirms.
func (p *publisher) confirmLoop(ctx context.Context, returns <-chan amqp.Return, confirms <-chan amqp.Confirmation) {
	watchdog := time.NewTicker(stuckAfter)
	defer watchdog.Stop()
	for {
		select {
		case <-watchdog.C:
			if len(p.sent) > 0 && !p.stopped.Load() {
				p.fail(errStuck)
				return
			}
		case c, open := <-confirms:
			if !open {
				p.fail(p.reason())
				return
			}
			watchdog.Reset(stuckAfter)
			e := <-p.sent
			if !c.Ack {
				p.fail(fmt.Errorf("%w: %s", errRefused, e.event.event.ID))
				return
			}
			p.confirm(e)
		case r, open := <-returns:
			if !open {
				returns = nil
				continue
			}
			p.fail(fmt.Errorf("%w: %s: %d %s", errReturned, r.MessageId, r.ReplyCode, r.ReplyText))
			return
		case <-p.window.empty:
			return
		case <-p.failure:
			return
		case <-ctx.Done():
			p.fail(ctx.Err())
			return
		}
	}
}

// reason says why the channel is gone.
func (p *publisher) reason() error {
	select {
	case err := <-p.rabbit.closed:
		return ended(errLost, err)
	case err := <-p.rabbit.lost:
		return ended(errLost, err)
	}
}

// confirm settles an entry, and lets the next one of its key go.
func (p *publisher) confirm(e *entry[item]) {
	if e.event.span != nil {
		e.event.span.End()
	}
	next, settled := p.window.confirm(e)
	if next != nil {
		p.queued <- next
	}
	if len(settled) == 0 {
		return
	}
	p.settled(settled[len(settled)-1].event.seq, len(settled))
	for range settled {
		<-p.slots
	}
}
