package bridge

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"tiffin/micro"
)

const (
	// defaultWindow is where RabbitMQ's throughput stops growing with the confirms in flight. It is also how many second
	// copies a fault may cost.
	defaultWindow = 4096
	// minPause and maxPause bound the time between two tries to reach RabbitMQ. The longest is what a broker that is
	// back waits for us at most, and a try each second costs nobody anything.
	minPause, maxPause = 200 * time.Millisecond, time.Second
	// healthyAfter is how long a session must have lived for the pauses to start again from the shortest.
	healthyAfter = 5 * time.Second
)

// Config says what to relay where. Conn and JS belong to the role "bridge".
type Config struct {
	Conn      *nats.Conn
	JS        jetstream.JetStream
	RabbitURL string
	RabbitTLS *tls.Config           // nil: as the URL says; else required, whatever the URL says
	Log       *slog.Logger          // nil = silent
	Metrics   prometheus.Registerer // nil = none
	Traces    trace.TracerProvider  // nil = trace context is passed on, no spans are made
	Window    int                   // events published and not yet confirmed, default 4096
	MaxAge    time.Duration         // confirmed events older than this leave the stream; 0: never
}

// Bridge is one instance. Any number may run; one at a time works.
type Bridge struct {
	cfg     Config
	log     *slog.Logger
	service *micro.Service
	traces  traces
	state   state
	metrics *metrics
}

// New makes a bridge. Nothing is connected to before Run.
func New(cfg Config) *Bridge {
	cfg.Window = cmp.Or(cfg.Window, defaultWindow)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bridge{cfg: cfg, log: cfg.Log.With("service", "bridge"), metrics: newMetrics(cfg.Metrics), traces: newTraces(cfg.Traces)}
	b.state.metrics = b.metrics
	b.service = micro.NewService(micro.ServiceConfig{
		Name: "bridge", Version: "1.0.0", Description: "Hands order events to RabbitMQ.",
		Conn: cfg.Conn, Log: cfg.Log, Metrics: cfg.Metrics, Traces: cfg.Traces, Health: b.Health,
	})
	micro.Handle(b.service, "status", "Connection, lag and age of the oldest event that RabbitMQ has not confirmed.", b.status)
	return b
}

// Ready is closed when bridge.status answers. Relaying begins whenever RabbitMQ is there.
func (b *Bridge) Ready() <-chan struct{} { return b.service.Ready() }

// Run relays until ctx ends, then waits for the confirms under way and returns nil. A RabbitMQ that is away, refuses or
// is blocked is tried again for ever. It returns an error when the connection to NATS is lost for good.
func (b *Bridge) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.service.Run(ctx) })
	group.Go(func() error { return b.sessions(ctx) })
	group.Go(func() error { return b.watchLag(ctx) })
	group.Go(func() error { return b.keepTrimmed(ctx) })
	return group.Wait()
}

// sessions runs one session after the other.
func (b *Bridge) sessions(ctx context.Context) error {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		started := time.Now()
		err := b.session(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				b.log.Warn("stopped with events unconfirmed; the next session sends them again", "error", err)
			}
			return nil
		}
		if time.Since(started) > healthyAfter {
			attempt = 0
		}
		pause := micro.Backoff(attempt, minPause, maxPause)
		b.log.Warn("not relaying, trying again", "error", err, "in", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return nil
}
