package micro

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"
	"github.com/nats-io/nuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// drainGrace is how long requests in flight may finish after Run's ctx ended. It exceeds the default timeout of an
// endpoint, so that only a handler that ignores its context is ever cut off.
const drainGrace = 15 * time.Second

// maxPendingBytes bounds what one subscription holds in memory.
const maxPendingBytes = 64 << 20

// ErrLost says that a service can no longer be reached and its process should exit.
var ErrLost = errors.New("service lost its connection or a subscription for good")

// errDraining is the cause of contexts that are cancelled because the drain took too long.
var errDraining = errors.New("service is stopping")

// ServiceConfig describes a service. Name is also the first token of its subjects; Version is semantic.
type ServiceConfig struct {
	Name        string
	Version     string
	Description string
	Conn        *nats.Conn
	Log         *slog.Logger          // nil = silent
	Metrics     prometheus.Registerer // nil = none
	Traces      trace.TracerProvider  // nil = trace context is passed on, no spans are made
	// Health gives the state of each dependency by name, nil for a good one. It may be nil.
	Health func(context.Context) map[string]error
	// Audit takes what is done at endpoints marked by WithAudit, before it is answered. It must not take long, and mend or
	// log its own failures: the act has been done. nil: nobody takes it.
	Audit func(context.Context, Act)
}

// Service is one instance of a micro service. Make it with NewService, add endpoints with Handle, then Run it once.
type Service struct {
	cfg       ServiceConfig
	id        string
	log       *slog.Logger
	metrics   *serviceMetrics
	tracer    trace.Tracer
	endpoints []*endpoint
	started   time.Time
	ready     chan struct{}

	lost     chan error // holds the first loss
	subs     []*nats.Subscription
	inflight sync.WaitGroup // counts subscriptions until their last request is answered
}

// NewService makes a service whose only endpoint is <name>.health. Nothing is subscribed before Run.
func NewService(cfg ServiceConfig) *Service {
	s := &Service{
		cfg:     cfg,
		id:      nuid.Next(),
		log:     orSilent(cfg.Log).With("service", cfg.Name),
		metrics: newServiceMetrics(cfg.Metrics),
		tracer:  tracer(cfg.Traces),
		ready:   make(chan struct{}),
		lost:    make(chan error, 1),
	}
	s.metrics.dropped.WithLabelValues(cfg.Name) // there from the start: a counter that appears with 1 shows no increase
	addHealth(s)
	return s
}

// Ready is closed when every endpoint is subscribed and the server knows it.
func (s *Service) Ready() <-chan struct{} { return s.ready }

// Run serves until ctx ends, then stops taking requests, answers those in flight and returns nil. It returns an error
// wrapping ErrLost when the connection is closed or a subscription refused, also later, by a server with other
// permissions; and an error when an endpoint cannot be added.
func (s *Service) Run(ctx context.Context) error {
	// Handlers outlive ctx: the drain lets them finish. They are cut off by cancel, with a cause, when it takes too long.
	base, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	s.watch(base)
	err := s.start(ctx, base)
	if err == nil {
		close(s.ready)
		select {
		case <-ctx.Done():
		case err = <-s.lost:
			err = fmt.Errorf("%s: %w: %w", s.cfg.Name, ErrLost, err)
		}
	}
	return errors.Join(err, s.drain(cancel))
}

// start subscribes discovery and every endpoint, and returns when the server has processed the subscriptions.
func (s *Service) start(ctx, base context.Context) error {
	s.started = time.Now().UTC()
	for _, e := range s.endpoints {
		if err := e.describe(); err != nil {
			return fmt.Errorf("%s: endpoint %s: %w", s.cfg.Name, e.verb, err)
		}
		// accept never blocks, so the limit is only reached when the process is starved of CPU.
		e.pool = newPool(e.workers, e.queue, func(a arrival) { s.serve(base, e, a) })
		accept := func(msg *nats.Msg) { s.accept(e, msg) }
		if err := s.subscribe(e.subject, natsmicro.DefaultQueueGroup, 4*(e.workers+e.queue), accept, e.pool.close); err != nil {
			return err
		}
	}
	s.exposeLoad()
	if err := s.subscribeDiscovery(); err != nil {
		return err
	}
	flush, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := s.cfg.Conn.FlushWithContext(flush); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w: flush: %w", s.cfg.Name, ErrLost, err)
	}
	return nil
}

// subscribe adds a subscription. It counts as in flight until it has handed over its last message and ended returned.
func (s *Service) subscribe(subject, queue string, pending int, handle nats.MsgHandler, ended func()) error {
	sub, err := s.cfg.Conn.QueueSubscribe(subject, queue, handle)
	if err != nil {
		return fmt.Errorf("%s: subscribe %s: %w", s.cfg.Name, subject, err)
	}
	s.inflight.Add(1)
	sub.SetClosedHandler(func(string) {
		ended()
		s.inflight.Done()
	})
	s.subs = append(s.subs, sub)
	if err := sub.SetPendingLimits(pending, maxPendingBytes); err != nil {
		return fmt.Errorf("%s: limit %s: %w", s.cfg.Name, subject, err)
	}
	return nil
}

// watch notices what makes the service unreachable: a closed connection, and a subscription that the server refuses,
// which nats.go reports without naming the subscription. The handlers are chained and never removed, since removing
// would drop whatever was chained after them; they do nothing once base has ended.
func (s *Service) watch(base context.Context) {
	nc := s.cfg.Conn
	failed, closed := nc.ErrorHandler(), nc.ClosedHandler()
	nc.SetErrorHandler(func(nc *nats.Conn, sub *nats.Subscription, err error) {
		if base.Err() == nil {
			s.subscriptionError(sub, err)
		}
		if failed != nil {
			failed(nc, sub, err)
		}
	})
	nc.SetClosedHandler(func(nc *nats.Conn) {
		s.lose(errors.Join(errors.New("connection closed"), nc.LastError()))
		if closed != nil {
			closed(nc)
		}
	})
}

// subscriptionError counts errors of the service's own subscriptions, and gives up on a refused one.
func (s *Service) subscriptionError(sub *nats.Subscription, err error) {
	switch {
	case sub != nil && slices.Contains(s.subs, sub):
		s.metrics.dropped.WithLabelValues(s.cfg.Name).Inc()
		s.log.Error("subscription error", "subject", sub.Subject, "error", err)
	case errors.Is(err, nats.ErrPermissionViolation) && s.owns(err.Error()):
		s.lose(err)
	}
}

// owns reports whether a refusal names one of the service's subjects. The server's text is the only source.
func (s *Service) owns(refusal string) bool {
	_, subject, found := strings.Cut(refusal, `Subscription to "`)
	return found && (strings.HasPrefix(subject, s.cfg.Name+".") || strings.HasPrefix(subject, natsmicro.APIPrefix+"."))
}

// lose records the first loss.
func (s *Service) lose(err error) {
	select {
	case s.lost <- err:
	default:
	}
}

// drain stops the intake, lets everything that arrived be answered, and cuts off what takes longer than drainGrace.
func (s *Service) drain(cancel context.CancelCauseFunc) error {
	for _, sub := range s.subs {
		if err := sub.Drain(); err != nil && !s.cfg.Conn.IsClosed() {
			return fmt.Errorf("%s: drain %s: %w", s.cfg.Name, sub.Subject, err)
		}
	}
	done := make(chan struct{})
	go func() { s.inflight.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(drainGrace):
		cancel(errDraining)
		return fmt.Errorf("%s: requests still running %s after the stop", s.cfg.Name, drainGrace)
	}
	// Without a connection the answers are gone, and the callers have been told by their own.
	if err := s.cfg.Conn.FlushTimeout(2 * time.Second); err != nil && s.cfg.Conn.IsConnected() {
		return fmt.Errorf("%s: flush last answers: %w", s.cfg.Name, err)
	}
	return nil
}

// orSilent gives a logger that discards when none is configured.
func orSilent(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
