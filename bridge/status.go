package bridge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"tiffin/micro"
)

// lagInterval is how often lag and age are measured for /metrics.
const lagInterval = 2 * time.Second

// Status is the answer of bridge.status. Connected is about the instance that answers, the rest about all together.
type Status struct {
	Connected     bool    `json:"connected"`     // to RabbitMQ
	Relayed       uint64  `json:"relayed"`       // events in the stream that RabbitMQ has confirmed
	Lag           uint64  `json:"lag"`           // events in the stream that it has not
	OldestSeconds float64 `json:"oldestSeconds"` // age of the oldest of these, 0 without any
	DeadLettered  uint64  `json:"deadLettered"`  // events that may not go out
}

// metrics are the collectors of the bridge.
type metrics struct {
	relayed, dead              prometheus.Counter
	connected, leader, blocked prometheus.Gauge
	lag, oldest                prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return micro.Register(reg, prometheus.NewGauge(prometheus.GaugeOpts{Name: "tiffin_bridge_" + name, Help: help}))
	}
	counter := func(name, help string) prometheus.Counter {
		return micro.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{Name: "tiffin_bridge_" + name, Help: help}))
	}
	return &metrics{
		relayed:   counter("relayed_total", "Events that RabbitMQ confirmed to this instance."),
		dead:      counter("dead_total", "Events that this instance put among the dead letters."),
		connected: gauge("connected", "1 while this instance is connected to RabbitMQ."),
		leader:    gauge("leader", "1 while this instance is the one that relays."),
		blocked:   gauge("blocked", "1 while RabbitMQ takes no publishes because of an alarm."),
		lag:       gauge("lag_events", "Events that RabbitMQ has not confirmed."),
		oldest:    gauge("oldest_event_seconds", "Age of the oldest event that RabbitMQ has not confirmed."),
	}
}

// state is what the running session tells the rest of the bridge.
type state struct {
	metrics *metrics
	broker  atomic.Pointer[rabbit] // nil while there is no connection
	alarm   atomic.Bool            // RabbitMQ takes no publishes
}

// connected takes the connection there is now, nil for none.
func (s *state) connected(r *rabbit) {
	s.broker.Store(r)
	set(s.metrics.connected, r != nil)
	if r == nil {
		s.blocked(false)
	}
}

func (s *state) leads(yes bool) { set(s.metrics.leader, yes) }

func (s *state) blocked(yes bool) {
	s.alarm.Store(yes)
	set(s.metrics.blocked, yes)
}

// answers tells whether RabbitMQ is there. One that has raised an alarm has said so itself, and reads nothing more.
func (s *state) answers(ctx context.Context) error {
	switch r := s.broker.Load(); {
	case r == nil:
		return errLost
	case s.alarm.Load():
		return nil
	default:
		return r.pulse.feel(ctx)
	}
}

func set(g prometheus.Gauge, yes bool) {
	if yes {
		g.Set(1)
		return
	}
	g.Set(0)
}

// Health is whether RabbitMQ answers this instance before ctx ends.
func (b *Bridge) Health(ctx context.Context) map[string]error {
	return map[string]error{"rabbitmq": b.state.answers(ctx)}
}

// status is the endpoint bridge.status.
func (b *Bridge) status(ctx context.Context, _ struct{}) (Status, error) {
	lag, err := b.measure(ctx)
	if err != nil {
		return Status{}, micro.Unavailable(err, "the event stream does not answer")
	}
	out := Status{Connected: b.state.broker.Load() != nil, Lag: lag.events, OldestSeconds: math.Round(lag.oldest.Seconds()*1000) / 1000}
	total, err := b.count(ctx, micro.StreamEvents, filters()...)
	if err != nil {
		return Status{}, micro.Unavailable(err, "the event stream does not answer")
	}
	out.Relayed = total - min(total, lag.events)
	if out.DeadLettered, err = b.count(ctx, micro.StreamDead, micro.DeadSubject(durable)); err != nil {
		return Status{}, micro.Unavailable(err, "the dead-letter stream does not answer")
	}
	return out, nil
}

// count gives how many messages of a stream match any of the filters, which must not overlap. No stream has none.
func (b *Bridge) count(ctx context.Context, name string, filters ...string) (n uint64, err error) {
	stream, err := b.cfg.JS.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, filter := range filters {
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
		if err != nil {
			return 0, err
		}
		for _, messages := range info.State.Subjects {
			n += messages
		}
	}
	return n, nil
}

// lag is how far RabbitMQ is behind the stream.
type lag struct {
	events uint64
	oldest time.Duration
}

// measure asks the stream. Before the first session there is no consumer, and all events are waiting.
func (b *Bridge) measure(ctx context.Context) (lag, error) {
	stream, err := b.cfg.JS.Stream(ctx, micro.StreamEvents)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return lag{}, nil
	}
	if err != nil {
		return lag{}, err
	}
	var out lag
	var floor uint64
	var counting bool // the server may not have counted yet what waits for a consumer that was just made or reset
	consumer, err := stream.Consumer(ctx, durable)
	switch {
	case err == nil:
		info := consumer.CachedInfo()
		out.events, floor = info.NumPending+uint64(info.NumAckPending), info.AckFloor.Stream
		counting = out.events == 0 && info.Delivered.Consumer == 0
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		if out.events, err = b.count(ctx, micro.StreamEvents, filters()...); err != nil {
			return lag{}, err
		}
	default:
		return lag{}, err
	}
	if out.events == 0 && !counting {
		return out, nil
	}
	out.oldest, err = oldest(ctx, stream, floor+1)
	if counting && out.oldest > 0 {
		out.events = 1 // at least
	}
	return out, err
}

// oldest gives the age of the first event of ours from seq on, 0 when there is none.
func oldest(ctx context.Context, stream jetstream.Stream, seq uint64) (time.Duration, error) {
	var age time.Duration
	for _, filter := range filters() {
		msg, err := stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("oldest event: %w", err)
		}
		age = max(age, time.Since(msg.Time))
	}
	return age, nil
}

// watchLag keeps the gauges fresh until ctx ends.
func (b *Bridge) watchLag(ctx context.Context) error {
	tick := time.NewTicker(lagInterval)
	defer tick.Stop()
	for {
		query, cancel := context.WithTimeout(ctx, lagInterval)
		now, err := b.measure(query)
		cancel()
		if err == nil {
			b.metrics.lag.Set(float64(now.events))
			b.metrics.oldest.Set(now.oldest.Seconds())
		} else if ctx.Err() == nil {
			b.log.Debug("lag not measured", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
