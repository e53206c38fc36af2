package bridge

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tiffin/micro"
)

// Row is what an outbox says of one event: its id, and whether it has been sent to the stream.
type Row struct {
	ID   string
	Sent bool
}

// Report says whether outboxes, stream and RabbitMQ agree. They do when Missing is empty: then each event of an outbox
// waits there, waits in the stream, or has been confirmed by RabbitMQ.
type Report struct {
	Rows    int      `json:"rows"`    // events in the outboxes
	Waiting int      `json:"waiting"` // of these: not sent to the stream yet
	Stream  int      `json:"stream"`  // different events in the stream
	Copies  int      `json:"copies"`  // further copies of them, from beyond the time the stream remembers ids
	Relayed int      `json:"relayed"` // of the types for RabbitMQ: confirmed
	Lag     int      `json:"lag"`     // of the types for RabbitMQ: not confirmed yet
	Missing []string `json:"missing"` // ids that an outbox says were sent and the stream does not have
}

// Reconcile compares the rows of all outboxes with the stream and with what RabbitMQ has confirmed. The rows must have
// been read before the call, so that each sent one is in the stream already; events that come meanwhile do not matter.
// A wiped stream makes all its rows missing until the relays have filled it again.
func Reconcile(ctx context.Context, js jetstream.JetStream, rows iter.Seq2[Row, error]) (Report, error) {
	report := Report{Missing: []string{}}
	sent := make(map[string]bool) // id → seen in the stream
	for row, err := range rows {
		if err != nil {
			return report, fmt.Errorf("read outbox: %w", err)
		}
		report.Rows++
		if !row.Sent {
			report.Waiting++
			continue
		}
		sent[row.ID] = false
	}
	floor, err := confirmedUpTo(ctx, js)
	if err != nil {
		return report, err
	}
	if err := report.readStream(ctx, js, floor, sent); err != nil {
		return report, err
	}
	for id, seen := range sent {
		if !seen {
			report.Missing = append(report.Missing, id)
		}
	}
	slices.Sort(report.Missing)
	return report, nil
}

// readStream counts the stream's events and marks those that the outboxes know.
func (r *Report) readStream(ctx context.Context, js jetstream.JetStream, floor uint64, sent map[string]bool) error {
	seen := make(map[string]struct{})
	for msg, err := range history(ctx, js, time.Time{}, "events.>") {
		if err != nil {
			return err
		}
		id := msg.Headers().Get(jetstream.MsgIDHeader)
		if _, again := seen[id]; again {
			r.Copies++
			continue
		}
		seen[id] = struct{}{}
		r.Stream++
		if _, known := sent[id]; known {
			sent[id] = true
		}
		event, err := micro.ParseEvent(msg.Subject(), msg.Headers(), msg.Data())
		switch {
		case err != nil || event.Type != typeCreated && event.Type != typeAssigned:
		case msg.seq <= floor:
			r.Relayed++
		default:
			r.Lag++
		}
	}
	return nil
}

// confirmedUpTo gives the bridge's floor, 0 when no bridge has worked yet.
func confirmedUpTo(ctx context.Context, js jetstream.JetStream) (uint64, error) {
	consumer, err := js.Consumer(ctx, micro.StreamEvents, durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("consumer %s: %w", durable, err)
	}
	return consumer.CachedInfo().AckFloor.Stream, nil
}
