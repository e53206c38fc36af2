package micro

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
	"go.opentelemetry.io/otel/trace"
)

// The streams.
const (
	StreamEvents = "EVENTS"
	StreamDead   = "DEAD"
)

const (
	// dedupeWindow is how long the stream remembers ids. It outlasts a relay's restart; consumers are idempotent anyway.
	dedupeWindow = 10 * time.Minute
	// maxBatch is what one atomic batch may hold; the server's own limit is 1000.
	maxBatch = 500
	// few messages are sent one by one: for an atomic batch the server makes a store of its own on the disk and takes it
	// away again, which takes as long as storing six messages (BenchmarkPublishFew).
	few = 4
	// maxDead bounds the dead letters. A full DEAD refuses, and the events stay where they are, retried.
	maxDead = 1_000_000

	errDuplicateInBatch jetstream.ErrorCode = 10201
)

// EnsureStream creates or updates the streams EVENTS and DEAD with the given number of replicas, and gives EVENTS.
// Both refuse new messages rather than drop acknowledged ones, and neither has an age limit: a backlog waits for
// RabbitMQ as long as it takes.
func EnsureStream(ctx context.Context, js jetstream.JetStream, replicas int) (jetstream.Stream, error) {
	dead := jetstream.StreamConfig{
		Name: StreamDead, Subjects: []string{deadPrefix + ">"}, Storage: jetstream.FileStorage,
		Description: "Events that a consumer could not handle, with the reason.",
		Discard:     jetstream.DiscardNew, MaxMsgs: maxDead, Duplicates: dedupeWindow, Replicas: replicas, AllowDirect: true,
	}
	if _, err := js.CreateOrUpdateStream(ctx, dead); err != nil {
		return nil, fmt.Errorf("stream %s: %w", StreamDead, err)
	}
	events := jetstream.StreamConfig{
		Name: StreamEvents, Subjects: []string{eventPrefix + ">"}, Storage: jetstream.FileStorage,
		Description: "Every order and delivery event, from the outboxes of the shards.",
		Discard:     jetstream.DiscardNew, Duplicates: dedupeWindow, Replicas: replicas, AllowDirect: true,
		// A relay's batch is stored whole, in order, with one sync of the disk: 50 000 events a second instead of 3 000.
		AllowAtomicPublish: true,
	}
	stream, err := js.CreateOrUpdateStream(ctx, events)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", StreamEvents, err)
	}
	return stream, nil
}

// Publisher puts events on the stream in order. It is safe for concurrent use; batches of several callers may
// interleave, events of one batch keep their order.
type Publisher struct {
	js     jetstream.JetStream
	tracer trace.Tracer
}

// NewPublisher makes a publisher. The stream must exist.
func NewPublisher(js jetstream.JetStream) *Publisher { return &Publisher{js: js} }

// WithTraces makes a span of each event that belongs to a recorded trace; nil makes none.
func (p *Publisher) WithTraces(traces trace.TracerProvider) *Publisher {
	return &Publisher{js: p.js, tracer: tracer(traces)}
}

// PublishBatch stores events in the given order and gives their sequence numbers in the stream. On an error the
// leading non-zero numbers belong to events that are stored; of the others it is unknown, and all of them are to be
// sent again: the stream drops what it already has, by id. It returns ErrEvent, and stores nothing, when one of the
// events is none.
func (p *Publisher) PublishBatch(ctx context.Context, events []Event) (seqs []uint64, err error) {
	seqs = make([]uint64, len(events))
	msgs := make([]*nats.Msg, len(events))
	for i := range events {
		msg, err := events[i].message()
		if err != nil {
			return seqs, err
		}
		msgs[i] = msg
	}
	end := p.spans(ctx, events, msgs)
	defer func() { end(err) }()
	for start := 0; start < len(msgs); start += maxBatch {
		stop := min(start+maxBatch, len(msgs))
		if err := p.publish(ctx, msgs[start:stop], seqs[start:stop]); err != nil {
			return seqs, fmt.Errorf("publish events: %w", err)
		}
	}
	return seqs, nil
}

// publish stores up to maxBatch events. Each of a few waits for the one before it, so that none overtakes. The atomic
// batch is refused whole when the stream already has one of its events, which happens after an answer was lost; then
// they go alone too, and the known ones are answered with their numbers.
func (p *Publisher) publish(ctx context.Context, msgs []*nats.Msg, seqs []uint64) error {
	if len(msgs) > few {
		err := p.publishAtomic(ctx, msgs, seqs)
		var refused *jetstream.APIError
		if !errors.As(err, &refused) || refused.ErrorCode != errDuplicateInBatch {
			return err
		}
	}
	for i, msg := range msgs {
		for name := range msg.Header {
			if isBatchHeader(name) {
				delete(msg.Header, name)
			}
		}
		ack, err := p.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(StreamEvents))
		if err != nil {
			return err
		}
		seqs[i] = ack.Sequence
	}
	return nil
}

// The headers of an atomic batch (ADR-50), which nats.go has no calls for.
const (
	headerBatchID     = "Nats-Batch-Id"
	headerBatchSeq    = "Nats-Batch-Sequence"
	headerBatchCommit = "Nats-Batch-Commit"
)

func isBatchHeader(name string) bool {
	return name == headerBatchID || name == headerBatchSeq || name == headerBatchCommit
}

// publishAtomic sends all messages and commits with the last: they are stored together and in order, or not at all.
func (p *Publisher) publishAtomic(ctx context.Context, msgs []*nats.Msg, seqs []uint64) error {
	id, nc := nuid.Next(), p.js.Conn()
	for i, msg := range msgs[:len(msgs)-1] {
		msg.Header[headerBatchID] = []string{id}
		msg.Header[headerBatchSeq] = []string{strconv.Itoa(i + 1)}
		if err := nc.PublishMsg(msg); err != nil {
			return err
		}
	}
	last := msgs[len(msgs)-1]
	last.Header[headerBatchID] = []string{id}
	last.Header[headerBatchSeq] = []string{strconv.Itoa(len(msgs))}
	last.Header[headerBatchCommit] = []string{"1"}
	answer, err := nc.RequestMsgWithContext(ctx, last)
	if err != nil {
		return err
	}
	var ack struct {
		Error *jetstream.APIError `json:"error"`
		Seq   uint64              `json:"seq"`
		Count int                 `json:"count"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return fmt.Errorf("batch acknowledgement: %w", err)
	}
	if ack.Error != nil {
		return ack.Error
	}
	if ack.Count != len(msgs) {
		return fmt.Errorf("batch of %d events acknowledged as %d", len(msgs), ack.Count)
	}
	for i := range seqs {
		seqs[i] = ack.Seq - uint64(len(msgs)-1-i)
	}
	return nil
}
