package bridge

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tiffin/micro"
)

// trimEvery is how often history that is too old is looked for.
const trimEvery = time.Hour

// readers are the durables whose work must be done before an event goes. Those of the services are named after them.
func readers() []string { return []string{durable, "delivery", "tracking"} }

// keepTrimmed trims the stream until ctx ends. What fails is tried again by the next look: nothing waits for it.
func (b *Bridge) keepTrimmed(ctx context.Context) error {
	if b.cfg.MaxAge <= 0 {
		return nil
	}
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		if n, err := b.trim(ctx, time.Now().Add(-b.cfg.MaxAge)); err != nil && ctx.Err() == nil {
			b.log.Warn("old events are kept longer", "error", err)
		} else if n > 0 {
			b.log.Info("old events trimmed", "events", n, "older_than", b.cfg.MaxAge)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// trim takes events from before the cutoff out of the stream and gives how many, but never one that RabbitMQ or a
// consumer inside the fleet has not confirmed, however old it is. A limit of age on the stream itself would not ask.
func (b *Bridge) trim(ctx context.Context, cutoff time.Time) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	stream, err := b.cfg.JS.Stream(ctx, micro.StreamEvents)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	state := stream.CachedInfo().State
	if state.Msgs == 0 || !state.FirstTime.Before(cutoff) {
		return 0, nil
	}
	floor, err := confirmedByAll(ctx, stream, state.LastSeq)
	if err != nil || floor < state.FirstSeq {
		return 0, err
	}
	keep, err := firstSince(ctx, stream, state.FirstSeq, floor+1, cutoff)
	if err != nil || keep <= state.FirstSeq {
		return 0, err
	}
	if err := stream.Purge(ctx, jetstream.WithPurgeSequence(keep)); err != nil {
		return 0, fmt.Errorf("purge up to %d: %w", keep, err)
	}
	return keep - state.FirstSeq, nil
}

// confirmedByAll is up to where no reader needs anything any more. Without the bridge's own durable nothing is
// confirmed; a service that has none has never begun to read.
func confirmedByAll(ctx context.Context, stream jetstream.Stream, last uint64) (uint64, error) {
	floor := last
	for _, name := range readers() {
		consumer, err := stream.Consumer(ctx, name)
		switch {
		case errors.Is(err, jetstream.ErrConsumerNotFound) && name != durable:
			continue
		case errors.Is(err, jetstream.ErrConsumerNotFound):
			return 0, nil
		case err != nil:
			return 0, fmt.Errorf("consumer %s: %w", name, err)
		}
		done, err := micro.Confirmed(ctx, stream, consumer.CachedInfo(), last)
		if err != nil {
			return 0, err
		}
		floor = min(floor, done)
	}
	return floor, nil
}

// firstSince gives the first sequence number from low on, and high at most, whose event is not from before the cutoff.
// One that is not there counts as new: rather keep too much.
func firstSince(ctx context.Context, stream jetstream.Stream, low, high uint64, cutoff time.Time) (uint64, error) {
	var failed error
	n := sort.Search(int(high-low), func(i int) bool {
		msg, err := stream.GetMsg(ctx, low+uint64(i))
		if err != nil {
			if !errors.Is(err, jetstream.ErrMsgNotFound) {
				failed = err
			}
			return true
		}
		return !msg.Time.Before(cutoff)
	})
	return low + uint64(n), failed
}
