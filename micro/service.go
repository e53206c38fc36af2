package micro

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// drainGrace is how long requests in flight may finish after Run's ctx ended. It exceeds the default timeout of an
// endpoint, so that only a handler that ignores its context is ever cut off.
const drainGrace = 15 * time.Second

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
}

// Service is one instance of a micro service. Make it with NewService, add endpoints with Handle, then Run it once.
type Service struct {
	cfg       ServiceConfig
	log       *slog.Logger
	metrics   *serviceMetrics
	tracer    trace.Tracer
	endpoints []*endpoint
	ready     chan struct{}

	lost chan error // holds the first loss

	mu       sync.RWMutex // guards closed against inflight.Add
	closed   bool
	inflight sync.WaitGroup
}

// NewService makes a service whose only endpoint is <name>.health. Nothing is subscribed before Run.
func NewService(cfg ServiceConfig) *Service {
	s := &Service{
		cfg:     cfg,
		log:     orSilent(cfg.Log).With("service", cfg.Name),
		metrics: newServiceMetrics(cfg.Metrics),
		tracer:  tracer(cfg.Traces),
		ready:   make(chan struct{}),
		lost:    make(chan error, 1),
	}
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
	s.watchRefusals(base)
	svc, err := s.start(base)
	if err != nil {
		return err
	}
	if err := s.announce(ctx); err != nil {
		return errors.Join(err, svc.Stop())
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-s.lost:
		err = fmt.Errorf("%s: %w: %w", s.cfg.Name, ErrLost, err)
	}
	return errors.Join(err, s.drain(svc, cancel))
}

// start subscribes discovery and every endpoint.
func (s *Service) start(base context.Context) (natsmicro.Service, error) {
	svc, err := natsmicro.AddService(s.cfg.Conn, natsmicro.Config{
		Name: s.cfg.Name, Version: s.cfg.Version, Description: s.cfg.Description,
		StatsHandler: s.stats,
		// Reached when the connection was closed under the service; after a drain nobody listens any more.
		DoneHandler: func(natsmicro.Service) { s.lose(errors.New("connection closed")) },
		ErrorHandler: func(_ natsmicro.Service, err *natsmicro.NATSError) {
			s.metrics.dropped.WithLabelValues(s.cfg.Name).Inc()
			s.log.Error("subscription error", "subject", err.Subject, "error", err.Description)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: add service: %w", s.cfg.Name, err)
	}
	for _, e := range s.endpoints {
		if err := s.subscribe(base, svc, e); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: endpoint %s: %w", s.cfg.Name, e.verb, err), svc.Stop())
		}
	}
	return svc, nil
}

// announce waits until the server has processed all subscriptions, then closes Ready.
func (s *Service) announce(ctx context.Context) error {
	flush, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := s.cfg.Conn.FlushWithContext(flush); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w: flush: %w", s.cfg.Name, ErrLost, err)
	}
	select {
	case err := <-s.lost:
		return fmt.Errorf("%s: %w: %w", s.cfg.Name, ErrLost, err)
	default:
		close(s.ready)
		return nil
	}
}

// watchRefusals notices a subscription that the server refuses. nats.go reports it without the subscription, so
// nats.go/micro never sees it and the service would look alive. The handler is chained, never removed: removing would
// drop whatever was chained after it. It does nothing once base has ended.
func (s *Service) watchRefusals(base context.Context) {
	previous := s.cfg.Conn.ErrorHandler()
	s.cfg.Conn.SetErrorHandler(func(nc *nats.Conn, sub *nats.Subscription, err error) {
		if base.Err() == nil && errors.Is(err, nats.ErrPermissionViolation) && s.owns(err.Error()) {
			s.lose(err)
		}
		if previous != nil {
			previous(nc, sub, err)
		}
	})
}

// owns reports whether a refusal names one of the service's subscriptions. The server's text is the only source.
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
func (s *Service) drain(svc natsmicro.Service, cancel context.CancelCauseFunc) error {
	before := s.cfg.Conn.NumSubscriptions()
	if err := svc.Stop(); err != nil && !s.cfg.Conn.IsClosed() {
		return fmt.Errorf("%s: stop: %w", s.cfg.Name, err)
	}
	s.awaitUnsubscribed(before)
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()

	done := make(chan struct{})
	go func() { s.inflight.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(drainGrace):
		cancel(errDraining)
		return fmt.Errorf("%s: requests still running %s after the stop", s.cfg.Name, drainGrace)
	}
	if s.cfg.Conn.IsClosed() {
		return nil
	}
	if err := s.cfg.Conn.FlushTimeout(2 * time.Second); err != nil {
		return fmt.Errorf("%s: flush last answers: %w", s.cfg.Name, err)
	}
	return nil
}

// awaitUnsubscribed waits until the drained subscriptions have handed over their last message. nats.go/micro keeps
// them private, but a drained subscription leaves the connection's count. Others on the connection may come and go, so
// the wait is bounded; a message handed over later is answered "unavailable", which callers may retry.
func (s *Service) awaitUnsubscribed(before int) {
	const discovery = 9 // three verbs, each for all, for the name and for the instance
	want := before - len(s.endpoints) - discovery
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(2 * time.Second)
	for s.cfg.Conn.NumSubscriptions() > want && !s.cfg.Conn.IsClosed() {
		select {
		case <-tick.C:
		case <-limit:
			return
		}
	}
}

// enter counts a request in, false once the service has drained.
func (s *Service) enter() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return false
	}
	s.inflight.Add(1)
	return true
}

// orSilent gives a logger that discards when none is configured.
func orSilent(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
