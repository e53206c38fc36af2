package bridge

import (
	"context"
	"fmt"
	"iter"
	"time"

	"tiffin/micro"
)

// Span says which part of history to send again. Times are those of the stream; a zero one leaves its end open.
type Span struct {
	Since, Until time.Time
	Type         string // "order.created" or "order.assigned", "" = both
}

// Replay sends events again that are in the stream already, byte for byte and with their message_id, in the order of
// each order, beside whatever the bridges are doing. It returns how many RabbitMQ has confirmed. It does not wait for a
// broker that is away, and returns ErrBusy while another replay runs. cfg needs no Log and no Metrics.
func Replay(ctx context.Context, cfg Config, span Span) (int, error) {
	subjects := filters()
	switch span.Type {
	case "":
	case typeCreated, typeAssigned:
		subjects = []string{"events." + span.Type + ".>"}
	default:
		return 0, fmt.Errorf("type %q: only %s and %s go to RabbitMQ", span.Type, typeCreated, typeAssigned)
	}
	return send(ctx, New(cfg), func(yield func(item, error) bool) {
		for msg, err := range history(ctx, cfg.JS, span.Since, subjects...) {
			if err != nil {
				yield(item{}, err)
				return
			}
			if !span.Until.IsZero() && msg.at.After(span.Until) {
				return
			}
			event, err := micro.ParseEvent(msg.Subject(), msg.Headers(), msg.Data())
			if err != nil || check(event) != nil {
				continue // it is among the dead letters
			}
			if !yield(item{seq: msg.seq, event: event}, nil) {
				return
			}
		}
	})
}

// send publishes items over a connection of its own and returns how many were confirmed, all of them without an error.
func send(ctx context.Context, b *Bridge, items iter.Seq2[item, error]) (confirmed int, err error) {
	r, err := dial(ctx, b.cfg.RabbitURL, b.cfg.RabbitTLS, b.log)
	if err != nil {
		return 0, err
	}
	defer r.close()
	pub, err := newPublisher(r, b.cfg.Window, traces{}, func(_ uint64, n int) { confirmed += n }, func(bool) {})
	if err != nil {
		return 0, err
	}
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		defer pub.window.close()
		for it, err := range items {
			if err == nil {
				err = pub.add(ctx, it)
			}
			if err != nil {
				pub.fail(err)
				return
			}
		}
	}()
	err = pub.run(ctx)
	<-fed
	return confirmed, err
}
