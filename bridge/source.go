package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tiffin/micro"
)

const (
	// durable is the consumer of EVENTS whose acknowledgement floor says what RabbitMQ has. The outbox relays read it,
	// too: a row stays until the floor has passed it.
	durable = "bridge"
	// ackWait is long because nothing relies on it: each session resets the consumer to its floor. A redelivery in the
	// middle of a session, because RabbitMQ is blocked for minutes, would only be thrown away.
	ackWait = time.Hour
	// pullExpiry ends the pull requests of an instance that was paused before another takes its place, which RabbitMQ's
	// heartbeats allow after about ten seconds.
	pullExpiry = 5 * time.Second
)

// pullAhead is how many events wait here for a place in the window. More would only take memory: at twice the speed of a
// broker a refill still comes in time.
const pullAhead = 512

// errEnded says that the server ended the pulling: the consumer was deleted, or the connection closed.
var errEnded = errors.New("the consumer has ended")

// errGap says that another instance got events of the durable consumer, or that the server forgot what it delivered.
var errGap = errors.New("gap in the events delivered")

// source hands over the events of one session in order, from the first unconfirmed one on, without gaps and without
// repeats.
type source struct {
	take func(msg jetstream.Msg, seq uint64) error
	fail func(error)

	pulling jetstream.ConsumeContext
	ended   <-chan struct{} // closed when nothing is handed over any more
	// What follows belongs to the subscription's goroutine.
	next   uint64 // consumer sequence expected
	last   uint64 // stream sequence of the newest event handed over
	failed bool
}

// openSource makes the durable consumer if needed, sets it back to its floor, and begins to hand its events to take, one
// after the other. An error of take or of the consumer is given to fail, once, and is the end.
func openSource(ctx context.Context, js jetstream.JetStream, size int, take func(jetstream.Msg, uint64) error, fail func(error)) (*source, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	consumer, err := js.CreateOrUpdateConsumer(ctx, micro.StreamEvents, jetstream.ConsumerConfig{
		Durable: durable, Description: "Its acknowledgement floor is what RabbitMQ has confirmed.",
		FilterSubjects: filters(), AckPolicy: jetstream.AckAllPolicy, AckWait: ackWait, MaxDeliver: -1,
		// The window, and what is confirmed but not acknowledged yet.
		MaxAckPending: 2 * size,
	})
	if err != nil {
		return nil, fmt.Errorf("consumer %s: %w", durable, err)
	}
	if _, err := js.ResetConsumer(ctx, micro.StreamEvents, durable); err != nil {
		return nil, fmt.Errorf("reset consumer %s: %w", durable, err)
	}
	s := &source{take: take, fail: fail, next: 1}
	ahead := min(size, pullAhead)
	// Pushed to a callback instead of fetched one by one: Next sets up two timers and hands over a channel for each event.
	s.pulling, err = consumer.Consume(s.handle, jetstream.PullMaxMessages(ahead), jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullExpiry/5), jetstream.PullThresholdMessages((ahead+1)/2),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			if errors.Is(err, jetstream.ErrNoHeartbeat) { // the others are notices, or end the pulling
				fail(err)
			}
		}))
	if err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	s.ended = s.pulling.Closed()
	return s, nil
}

// handle hands over one event, unless something has failed before.
func (s *source) handle(msg jetstream.Msg) {
	if s.failed {
		return
	}
	seq, err := s.place(msg)
	if err == nil && seq > s.last {
		s.last = seq
		err = s.take(msg, seq)
	}
	if err != nil {
		s.failed = true
		s.fail(err)
	}
}

// place gives the event's stream sequence, and an error when an event before it is missing.
func (s *source) place(msg jetstream.Msg) (uint64, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return 0, fmt.Errorf("metadata: %w", err)
	}
	if meta.Sequence.Consumer != s.next {
		return 0, fmt.Errorf("%w: delivery %d, expected %d", errGap, meta.Sequence.Consumer, s.next)
	}
	s.next++
	return meta.Sequence.Stream, nil
}

// close unsubscribes and waits until nothing is handed over any more. What was delivered and not acknowledged, the next
// session gets.
func (s *source) close() {
	s.pulling.Stop()
	<-s.ended
}
