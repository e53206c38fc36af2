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
	b.state.connected(true)
	defer b.state.connected(false)
	if err := r.lead(ctx); err != nil {
		return err
	}
	b.state.leads(true)
	defer b.state.leads(false)
	src, err := openSource(ctx, b.cfg.JS, b.cfg.Window)
	if err != nil {
		return err
	}
	defer src.close()
	b.log.Info("relaying to RabbitMQ")
	return b.relay(ctx, r, src)
}

// relay moves events from the source to RabbitMQ and acknowledges them. When ctx ends it takes no more, waits for the
// confirms of those under way, and acknowledges these.
func (b *Bridge) relay(ctx context.Context, r *rabbit, src *source) error {
	acks := newAcker(b.cfg.Conn, b.log)
	pub, err := newPublisher(r, b.cfg.Window, func(seq uint64, n int) {
		b.metrics.relayed.Add(float64(n))
		acks.raise(seq)
	}, b.state.blocked)
	if err != nil {
		return err
	}
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(drainTimeout, cancel) })
	defer stop()

	var running sync.WaitGroup
	pulling, giveUp := context.WithCancel(ctx)
	running.Go(func() {
		b.pull(pulling, src, pub, acks)
		pub.window.close()
	})
	running.Go(func() { acks.run(hard) })
	err = pub.run(hard)
	giveUp()
	acks.close()
	running.Wait()
	return err
}

// pull feeds the publisher until ctx ends or something fails.
func (b *Bridge) pull(ctx context.Context, src *source, pub *publisher, acks *acker) {
	for {
		msg, seq, err := src.read(ctx)
		if err != nil {
			if ctx.Err() == nil {
				pub.fail(fmt.Errorf("read events: %w", err))
			}
			return
		}
		acks.delivered(seq, msg.Reply())
		it, err := b.inspect(ctx, msg, seq)
		if err == nil {
			err = pub.add(ctx, it)
		}
		if err != nil {
			if ctx.Err() == nil {
				pub.fail(err)
			}
			return
		}
	}
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
