package main

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"

	"tiffin/bench/orderevents"
	"tiffin/bench/report"
	"tiffin/micro"
)

const (
	idleEvents = 500                   // one at a time, per round
	idlePause  = 10 * time.Millisecond // between two of them
)

// idleSuite measures how long one event takes from its publish into a consumer's
// hands when nothing else happens: NATS, the bridge and RabbitMQ are processes of
// their own, and the next event is published when the one before has arrived.
// Beside it stands what the two servers take without a bridge between them, each
// with its write to the disk: nothing can be faster than their sum.
func idleSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	d, err := openDrainer(ctx, s, "idle", nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	way, err := openWay(ctx, d, s.Rounds)
	if err != nil {
		return nil, err
	}
	all, nats, rabbit := latencies{}, latencies{}, latencies{}
	for range s.Rounds {
		err := errors.Join(
			nats.add("NATS alone", func() ([]time.Duration, error) { return way.rounds(ctx, way.nats) }),
			rabbit.add("RabbitMQ alone", func() ([]time.Duration, error) { return way.rounds(ctx, way.rabbit) }),
			all.add("the whole way", func() ([]time.Duration, error) { return way.whole(ctx, s) }),
		)
		if err != nil {
			return nil, err
		}
	}
	ratio := make([]float64, s.Rounds)
	for i := range ratio {
		ratio[i] = all.p50[i] / (nats.p50[i] + rabbit.p50[i])
	}
	return []report.Figure{
		report.New("publish → consumer, idle, p50", "", "ms", report.Goal{AtMost: 1.7}, all.p50, nil),
		report.New("publish → consumer, idle, p99", "", "ms", report.Goal{AtMost: 2.6}, all.p99, nil),
		report.New("publish → consumer, idle, p50", "NATS alone + RabbitMQ alone", "×", report.Goal{}, ratio, nil),
	}, nil
}

// way is what an event comes along between a publisher and a consumer.
type way struct {
	drainer   *drainer
	events    []micro.Event // not yet published
	arrived   *arrivals
	channel   *amqp.Channel
	publisher *micro.Publisher
	stored    chan time.Time // when a consumer of the stream got an event
	behind    []string       // ids of events that no bridge was there for
}

func openWay(ctx context.Context, d *drainer, rounds int) (w *way, err error) {
	w = &way{drainer: d, events: orderevents.Make(3 * idleEvents * rounds), publisher: micro.NewPublisher(d.js), stored: make(chan time.Time, 1)}
	if w.arrived, err = consume(d.broker); err != nil {
		return nil, err
	}
	if w.channel, err = d.broker.Channel(); err != nil {
		return nil, err
	}
	consumer, err := d.js.CreateOrUpdateConsumer(ctx, micro.StreamEvents, jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy})
	if err != nil {
		return nil, err
	}
	_, err = consumer.Consume(func(jetstream.Msg) {
		select {
		case w.stored <- time.Now():
		default: // nobody waits for it
		}
	})
	return w, err
}

// rounds sends each event when the one before has arrived, and gives the time
// each took.
func (w *way) rounds(ctx context.Context, send func(context.Context, *micro.Event) (time.Time, error)) (took []time.Duration, err error) {
	for range idleEvents {
		e := w.events[0]
		w.events = w.events[1:]
		began := time.Now()
		at, err := send(ctx, &e)
		if err != nil {
			return nil, err
		}
		took = append(took, at.Sub(began))
		time.Sleep(idlePause)
	}
	return took, nil
}

// nats publishes to the stream, for a consumer of the stream.
func (w *way) nats(ctx context.Context, e *micro.Event) (time.Time, error) {
	select {
	case <-w.stored: // of another way
	default:
	}
	if _, err := w.publisher.PublishBatch(ctx, []micro.Event{*e}); err != nil {
		return time.Time{}, err
	}
	w.behind = append(w.behind, e.ID)
	return <-w.stored, nil
}

// rabbit publishes to the queue, for a consumer of the queue.
func (w *way) rabbit(ctx context.Context, e *micro.Event) (time.Time, error) {
	if err := w.channel.PublishWithContext(ctx, "orders", e.Type, true, false, orderevents.Message(*e)); err != nil {
		return time.Time{}, err
	}
	return w.arrived.await(e.ID)
}

// whole runs the bridge for one round.
func (w *way) whole(ctx context.Context, s stage) ([]time.Duration, error) {
	bridge, err := w.drainer.bridge(s.Binary, windows[0]).start(ctx)
	if err != nil {
		return nil, err
	}
	defer bridge.Stop()
	if err := w.catchUp(ctx); err != nil {
		return nil, err
	}
	return w.rounds(ctx, func(ctx context.Context, e *micro.Event) (time.Time, error) {
		if _, err := w.publisher.PublishBatch(ctx, []micro.Event{*e}); err != nil {
			return time.Time{}, err
		}
		return w.arrived.await(e.ID)
	})
}

// catchUp waits until the bridge has relayed what was published without it.
func (w *way) catchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	err := await(ctx, func() (bool, error) {
		for len(w.behind) > 0 {
			if _, there := w.arrived.at(w.behind[0]); !there {
				return false, nil
			}
			w.behind = w.behind[1:]
		}
		return true, nil
	})
	select {
	case <-w.arrived.news: // of what came meanwhile
	default:
	}
	return err
}
