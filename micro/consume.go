package micro

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

const (
	// ackWait is when the server gives an event to another instance, because this one seems dead.
	ackWait = 30 * time.Second
	// handleTimeout ends a handler before the server would give its event to another.
	handleTimeout = 25 * time.Second
	// maxPanics is how often an event may crash its handler before it is called poison.
	maxPanics = 5
	// healthyAfter is how long a consumer must have lived for its rebuild to start again from the shortest pause.
	healthyAfter = 30 * time.Second
)

// ConsumerConfig describes a durable consumer of EVENTS. Instances with the same Durable share the events.
type ConsumerConfig struct {
	Durable       string   // by convention the role's name
	Filters       []string // subjects, such as "events.order.created.>"; none = all events
	MaxAckPending int      // events in hands of all instances together, default 256
	// Workers is how many events are handled at once (default 1). Events of one Key always go to the same worker.
	Workers int
	// Handler must be idempotent by Event.ID: an event comes at least once. An error brings it back later, with growing
	// delay and after others; one made by Poison sends it to the dead-letter stream.
	Handler func(context.Context, Event) error
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Traces  trace.TracerProvider // nil = trace context is passed on, no spans are made
}

// consumer is the running form of a ConsumerConfig.
type consumer struct {
	cfg     ConsumerConfig
	js      jetstream.JetStream
	log     *slog.Logger
	tracer  trace.Tracer
	seed    maphash.Seed
	handled *prometheus.CounterVec
	lag     prometheus.Gauge
}

// Consume handles events until ctx ends, then finishes the ones in its handlers, gives the others back, and returns nil.
// It waits for the stream to appear and builds the consumer again when it is lost, for ever.
func Consume(ctx context.Context, js jetstream.JetStream, cfg ConsumerConfig) error {
	c := newConsumer(js, cfg)
	for attempt := 0; ctx.Err() == nil; attempt++ {
		started := time.Now()
		err := c.session(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(started) > healthyAfter {
			attempt = 0
		}
		delay := Backoff(attempt, 250*time.Millisecond, 5*time.Second)
		c.log.Warn("consumer lost, building it again", "error", err, "in", delay)
		pause(ctx, delay)
	}
	return nil
}

func newConsumer(js jetstream.JetStream, cfg ConsumerConfig) *consumer {
	cfg.Workers = max(cfg.Workers, 1)
	if cfg.MaxAckPending <= 0 {
		cfg.MaxAckPending = 256
	}
	return &consumer{
		cfg: cfg, js: js, seed: maphash.MakeSeed(), tracer: tracer(cfg.Traces),
		log: orSilent(cfg.Log).With("consumer", cfg.Durable),
		handled: Register(cfg.Metrics, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tiffin_events_consumed_total",
			Help: "Events handled by a durable consumer, by outcome: ok, retry or dead.",
		}, []string{"consumer", "type", "outcome"})),
		lag: Register(cfg.Metrics, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tiffin_consumer_lag_events",
			Help: "Events that wait for the consumer, as of the last one it got.",
		}, []string{"consumer"})).WithLabelValues(cfg.Durable),
	}
}

// session makes the durable and handles its events until ctx ends or the consumer is lost.
func (c *consumer) session(ctx context.Context) error {
	durable, err := c.js.CreateOrUpdateConsumer(ctx, StreamEvents, jetstream.ConsumerConfig{
		Durable: c.cfg.Durable, FilterSubjects: c.cfg.Filters, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxDeliver: -1, MaxAckPending: c.cfg.MaxAckPending,
	})
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	iter, err := durable.Messages(jetstream.PullMaxMessages(min(c.cfg.MaxAckPending, 256)), jetstream.PullHeartbeat(5*time.Second))
	if err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	queues, wait := c.startWorkers()
	held, err := c.distribute(ctx, iter, queues)
	giveBack(held, iter)
	wait()
	return err
}

// distribute hands each message to the worker of its key, until Next fails or ctx ends while it holds a message.
func (c *consumer) distribute(ctx context.Context, iter jetstream.MessagesContext, queues []chan jetstream.Msg) (held jetstream.Msg, err error) {
	for {
		msg, err := iter.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, err
		}
		worker := 0
		if len(queues) > 1 {
			worker = int(maphash.String(c.seed, msg.Headers().Get(headerSubject)) % uint64(len(queues)))
		}
		select {
		case queues[worker] <- msg:
		case <-ctx.Done():
			return msg, ctx.Err()
		}
	}
}

// giveBack returns what was pulled but not started, so that another instance gets it now and not after ackWait. It does
// so only once the iterator has unsubscribed, or the server would deliver the first of them here again.
func giveBack(held jetstream.Msg, iter jetstream.MessagesContext) {
	iter.Drain()
	var back []jetstream.Msg
	if held != nil {
		back = append(back, held)
	}
	for {
		msg, err := iter.Next()
		if err != nil {
			break
		}
		back = append(back, msg)
	}
	for _, msg := range back {
		if msg.Nak() != nil {
			return // the connection is gone: ackWait gives them back
		}
	}
}

// startWorkers runs the workers. wait closes their queues and returns when all events in them are handled.
func (c *consumer) startWorkers() (queues []chan jetstream.Msg, wait func()) {
	var running sync.WaitGroup
	for range c.cfg.Workers {
		queue := make(chan jetstream.Msg)
		queues = append(queues, queue)
		running.Go(func() {
			for msg := range queue {
				c.handle(msg)
			}
		})
	}
	return queues, func() {
		for _, queue := range queues {
			close(queue)
		}
		running.Wait()
	}
}

// handle runs the handler for one message and settles it.
func (c *consumer) handle(msg jetstream.Msg) {
	ctx, cancel := context.WithTimeout(context.Background(), handleTimeout)
	defer cancel()
	meta, err := msg.Metadata()
	if err != nil {
		c.log.Error("message without metadata", "subject", msg.Subject(), "error", err)
		return
	}
	c.lag.Set(float64(meta.NumPending))
	event, err := ParseEvent(msg.Subject(), msg.Headers(), msg.Data())
	if err != nil {
		c.settle(ctx, msg, meta, event, Poison(err))
		return
	}
	ctx = WithActor(ctx, Actor{Role: RoleService, ID: c.cfg.Durable})
	ctx = WithRequestID(ctx, event.Headers[HeaderRequestID])
	ctx, end := c.span(extract(ctx, msg.Headers()), msg.Subject(), &event)
	err = c.invoke(ctx, event)
	end(err)
	var panicked *panicError
	if errors.As(err, &panicked) {
		c.log.ErrorContext(ctx, "event handler panicked", "id", event.ID, "error", err, "stack", string(panicked.stack))
		if meta.NumDelivered >= maxPanics {
			err = Poison(err)
		}
	}
	c.settle(ctx, msg, meta, event, err)
}

// invoke turns a panic of the handler into an error.
func (c *consumer) invoke(ctx context.Context, event Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return c.cfg.Handler(ctx, event)
}

// settle acknowledges the message, brings it back later, or buries it. When even that fails, ackWait brings it back.
func (c *consumer) settle(ctx context.Context, msg jetstream.Msg, meta *jetstream.MsgMetadata, event Event, err error) {
	log := c.log.With("id", event.ID, "subject", msg.Subject(), "deliveries", meta.NumDelivered)
	outcome := "ok"
	var settled error
	switch {
	case err == nil:
		settled = msg.Ack()
	case IsPoison(err):
		outcome = "dead"
		log.ErrorContext(ctx, "event is poison", "error", err)
		if settled = DeadLetter(context.WithoutCancel(ctx), c.js, c.cfg.Durable, msg, err.Error()); settled == nil {
			settled = msg.TermWithReason(headerSafe(err.Error()))
		}
	default:
		outcome = "retry"
		delay := Backoff(int(meta.NumDelivered)-1, 100*time.Millisecond, 30*time.Second)
		log.WarnContext(ctx, "event comes back", "error", err, "in", delay)
		settled = msg.NakWithDelay(delay)
	}
	if settled != nil {
		log.WarnContext(ctx, "event not settled", "error", settled)
	}
	c.handled.WithLabelValues(c.cfg.Durable, event.Type, outcome).Inc()
}

// Backoff gives base·2ⁿ up to limit, of which the last quarter is random so that instances do not march in step.
func Backoff(n int, base, limit time.Duration) time.Duration {
	n, d := max(n, 0), limit
	if n < 20 && base<<n < limit {
		d = base << n
	}
	return d - rand.N(d/4+1)
}
