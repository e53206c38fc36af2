package micro

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
)

// ServiceConfig describes a service. Name is also the first token of its subjects; Version is semantic.
type ServiceConfig struct {
	Name        string
	Version     string
	Description string
	Conn        *nats.Conn
	Log         *slog.Logger
	Metrics     prometheus.Registerer
	// Health gives the state of each dependency by name, nil for a good one. It may be nil.
	Health func(context.Context) map[string]error
}

// Service is one instance of a micro service. Make it with NewService, add endpoints with Handle, then Run it.
type Service struct {
	cfg       ServiceConfig
	endpoints []*endpoint
	ready     chan struct{}
}

// NewService makes a service without endpoints. Nothing is subscribed before Run.
func NewService(cfg ServiceConfig) *Service {
	return &Service{cfg: cfg, ready: make(chan struct{})}
}

// Ready is closed when every endpoint is subscribed and the server knows it.
func (s *Service) Ready() <-chan struct{} { return s.ready }

// Run serves until ctx ends, then answers what is in flight and returns nil.
func (s *Service) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

type endpoint struct {
	verb, description string
	workers, queue    int
	timeout           time.Duration
}

// EndpointOption changes a default of Handle.
type EndpointOption func(*endpoint)

// WithWorkers sets how many requests of the endpoint run at once (default 64).
func WithWorkers(n int) EndpointOption { return func(e *endpoint) { e.workers = n } }

// WithQueue sets how many requests may wait for a worker (default 1024) before callers get unavailable.
func WithQueue(n int) EndpointOption { return func(e *endpoint) { e.queue = n } }

// WithTimeout bounds one request of the endpoint (default 10s). A caller's earlier deadline wins.
func WithTimeout(d time.Duration) EndpointOption { return func(e *endpoint) { e.timeout = d } }

// Handle adds the endpoint <name>.<verb>.
func Handle[Req, Res any](s *Service, verb, description string, h func(context.Context, Req) (Res, error), opts ...EndpointOption) {
	e := &endpoint{verb: verb, description: description}
	for _, o := range opts {
		o(e)
	}
	s.endpoints = append(s.endpoints, e)
}
