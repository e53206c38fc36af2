package bridge

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tiffin/micro"
)

// drainTimeout is how long a stopping session waits for RabbitMQ to confirm what is under way.
const drainTimeout = 5 * time.Second

// session connects, waits for its turn, and relays until ctx ends or something fails.
func (b *Bridge) session(ctx context.Context) error {
	r, err := dial(ctx, b.cfg.RabbitURL, b.cfg.RabbitTLS, b.log)
	if err != nil {
		return err
	}
	defer r.close()
	b.state.connected(r)
	defer b.state.connected(nil)
	if err := r.lead(ctx); err != nil {
		return err
	}
	b.state.leads(true)
	defer b.state.leads(false)
	return b.relay(ctx, r)
}

// relay moves events from the stream to RabbitMQ and acknowledges them. When ctx ends it takes no more, waits for the
// confirms of those under way, and acknowledges these.
func (b *Bridge) relay(ctx context.Context, r *rabbit) error {
	acks := newAcker(b.cfg.Conn, b.log)
	pub, err := newPublisher(r, b.cfg.Window, b.traces, func(seq uint64, n int) {
		b.metrics.relayed.Add(float64(n))
		acks.raise(seq)
	}, b.state.blocked)
	if err != nil {
		return err
	}
	taking, giveUp := context.WithCancel(ctx)
	defer giveUp()
	fail := func(err error) {
		if taking.Err() == nil {
			pub.fail(fmt.Errorf("read events: %w", err))
		}
	}
	src, err := openSource(ctx, b.cfg.JS, b.cfg.Window, func(msg jetstream.Msg, seq uint64) error {
		return b.take(taking, msg, seq, pub, acks)
	}, fail)
	if err != nil {
		return err
	}
	b.log.Info("relaying to RabbitMQ")
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(drainTimeout, cancel) })
	defer stop()

	var running sync.WaitGroup
	running.Go(func() {
		select {
		case <-taking.Done():
		case <-src.ended:
			fail(errEnded)
		}
		src.close()
		pub.window.close()
	})
	running.Go(func() { acks.run(hard) })
	err = pub.run(hard)
	giveUp()
	acks.close()
	running.Wait()
	return err
}

// take hands one event to the publisher, which may make it wait. After an error no later event may follow: acknowledging
// it would acknowledge the one that was left out.
func (b *Bridge) take(ctx context.Context, msg jetstream.Msg, seq uint64, pub *publisher, acks *acker) error {
	acks.delivered(seq, msg.Reply())
	it, err := b.inspect(ctx, msg, seq)
	if err != nil {
		return err
	}
	return pub.add(ctx, it)
}

// inspect reads the event. One that may not go out is put among the dead letters and skipped.
func (b *Bridge) inspect(ctx context.Context, msg jetstream.Msg, seq uint64) (item, error) {
	event, err := micro.ParseEvent(msg.Subject(), msg.Headers(), msg.Data())
	if err == nil {
		err = check(event)
	}
	if err == nil {
		return item{seq: seq, event: event}, nil
	}
	b.log.Error("event is poison", "id", event.ID, "subject", msg.Subject(), "seq", seq, "error", err)
	if err := micro.DeadLetter(ctx, b.cfg.JS, durable, msg, err.Error()); err != nil {
		return item{}, err
	}
	b.metrics.dead.Inc()
	return item{seq: seq, event: event, skip: true}, nil
}
