package outbox

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
	"tiffin/shard"
)

const (
	// batchSize bounds what one pass reads and publishes: large enough that the
	// round trips disappear, small enough that a repeat after a crash is short.
	batchSize = 512
	// pollEvery is the longest a committed event waits when its notification is
	// lost.
	pollEvery = time.Second
	// drowse is the wait between two looks while transactions are on their way:
	// they will not notify, having seen a relay that is awake.
	drowse = 2 * time.Millisecond
	// A pass that found as many events as busy comes so often that each is mostly
	// overhead: a batch costs NATS a store on the disk.
	busy = 16
	// maxPace is the longest a committed event waits for company.
	maxPace = 100 * time.Millisecond
	// leadEvery is how often a relay that waits tries to become the one that
	// works.
	leadEvery = time.Second
	// publishTimeout bounds one batch. It is well below the session's idle
	// timeout, or a slow JetStream would cost the relay its lock.
	publishTimeout = 5 * time.Second
	// Backoff between attempts while JetStream or the shard is away.
	minBackoff = 50 * time.Millisecond
	maxBackoff = 2 * time.Second
	// stopTimeout bounds the clean-up at the end.
	stopTimeout = time.Second
)

// RelayConfig is what a relay needs. DB is bound to a shard (Set.ByShard or
// Set.All).
type RelayConfig struct {
	DB        *shard.DB
	JS        jetstream.JetStream
	Log       *slog.Logger          // default: discard
	Metrics   prometheus.Registerer // nil: no metrics
	Retention time.Duration         // how long a delivered row is kept; default 7 days
	Replicas  int                   // of the stream, should it have to be made again; default 1
	Traces    trace.TracerProvider  // nil: trace context is passed on, no spans are made
	Consumer  string                // durable consumer without whose confirmation no row is purged; default "bridge"
}

// publisher is what the relay needs of JetStream: events are stored in the
// order given, the first that is not ends the batch, and of those before it the
// stream's sequence numbers are given.
type publisher interface {
	PublishBatch(ctx context.Context, events []micro.Event) ([]uint64, error)
}

// Relay publishes the outbox of one shard to JetStream.
type Relay struct {
	config  RelayConfig
	publish publisher
	metrics *metrics
	log     *slog.Logger
}

// NewRelay makes a relay; Run starts it.
func NewRelay(config RelayConfig) *Relay {
	config.Log = cmp.Or(config.Log, slog.New(slog.DiscardHandler))
	config.Retention = cmp.Or(config.Retention, 7*24*time.Hour)
	config.Replicas = cmp.Or(config.Replicas, 1)
	config.Consumer = cmp.Or(config.Consumer, "bridge")
	return &Relay{
		config:  config,
		publish: micro.NewPublisher(config.JS).WithTraces(config.Traces),
		metrics: newMetrics(config.Metrics, config.DB.ID()),
		log:     config.Log.With("relay", config.DB.ID()),
	}
}

// Run relays until ctx ends. Any number of relays may run for a shard: one
// works, the others wait for its lock. It returns nil: a shard or a JetStream
// that is away is waited for.
func (r *Relay) Run(ctx context.Context) error {
	delay := minBackoff
	for ctx.Err() == nil {
		began := time.Now()
		err := r.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		// A session that worked for a while had nothing wrong with it: only
		// failures in a row grow the wait.
		if time.Since(began) > 10*maxBackoff {
			delay = minBackoff
		}
		r.log.Warn("relay interrupted", "error", err, "retry_in", delay)
		wait(ctx, delay)
		delay = min(2*delay, maxBackoff)
	}
	return nil
}

// session is one connection: waits for the lead, then relays until something
// breaks.
func (r *Relay) session(ctx context.Context) error {
	connectCtx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	conn, err := r.config.DB.Connect(connectCtx)
	if err != nil {
		return err
	}
	defer func() {
		// With a context of its own, so that a normal end says goodbye to the
		// server and frees the lock at once.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		// Nothing is lost with a connection that does not close well.
		_ = conn.Close(ctx)
	}()
	if err := prepare(connectCtx, conn); err != nil {
		return err
	}
	if err := r.lead(ctx, conn); err != nil {
		return err
	}
	defer r.metrics.forget()
	l := &leader{Relay: r, conn: conn}
	return l.run(ctx)
}

// sessionSettings: whoever holds the lead must lose it when its process stops
// answering (idle_session_timeout, for a process that is paused; keepalives,
// for a host that is gone). Marks need not survive a crash of the server: the
// event is sent again then, with the same id, so there is no reason to wait for
// the disk.
const sessionSettings = `
set idle_session_timeout = '15s';
set tcp_keepalives_idle = 5;
set tcp_keepalives_interval = 5;
set tcp_keepalives_count = 3;
set synchronous_commit = off;
set application_name = 'tiffin-relay';
listen outbox`

func prepare(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, sessionSettings); err != nil {
		return fmt.Errorf("prepare session: %w", err)
	}
	return nil
}

// lead waits until this session is the one that relays.
func (r *Relay) lead(ctx context.Context, conn *pgx.Conn) error {
	for {
		var leads bool
		err := conn.QueryRow(ctx, `select pg_try_advisory_lock($1, $2)`, leadLock.class, leadLock.object).Scan(&leads)
		if err != nil {
			return fmt.Errorf("take the lead: %w", err)
		}
		if leads {
			return nil
		}
		if !wait(ctx, leadEvery) {
			return ctx.Err()
		}
	}
}

// wait sleeps and tells whether ctx still lives.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
