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

// errGap says that another instance got events of the durable consumer, or that the server forgot what it delivered.
var errGap = errors.New("gap in the events delivered")

// source reads the events of one session in order, from the first unconfirmed one on.
type source struct {
	iter jetstream.MessagesContext
	next uint64 // consumer sequence expected
	last uint64 // stream sequence of the newest event seen
}

// openSource makes the durable consumer if needed and sets it back to its floor.
func openSource(ctx context.Context, js jetstream.JetStream, size int) (*source, error) {
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
	ahead := min(size, pullAhead)
	iter, err := consumer.Messages(jetstream.PullMaxMessages(ahead), jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullExpiry/5), jetstream.PullThresholdMessages((ahead+1)/2))
	if err != nil {
		return nil, fmt.Errorf("pull: %w", err)
	}
	return &source{iter: iter, next: 1}, nil
}

// read gives the next event's message, without gaps and without repeats.
func (s *source) read(ctx context.Context) (jetstream.Msg, uint64, error) {
	for {
		msg, err := s.iter.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, 0, err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return nil, 0, fmt.Errorf("metadata: %w", err)
		}
		if meta.Sequence.Consumer != s.next {
			return nil, 0, fmt.Errorf("%w: delivery %d, expected %d", errGap, meta.Sequence.Consumer, s.next)
		}
		s.next++
		if meta.Sequence.Stream > s.last {
			s.last = meta.Sequence.Stream
			return msg, meta.Sequence.Stream, nil
		}
	}
}

// close unsubscribes. What was delivered and not acknowledged, the next session gets.
func (s *source) close() { s.iter.Stop() }
