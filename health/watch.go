package health

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The rhythm of the watch, and the words of its reports.
const (
	// lookEvery and lookTimeout together keep the report within two seconds of
	// the truth.
	lookEvery   = time.Second
	lookTimeout = 900 * time.Millisecond

	// StatusOK is the status of a dependency that works, and of a report without
	// one that does not.
	StatusOK = "ok"
	// StatusDegraded is the status of a report with a dependency that is away.
	StatusDegraded = "degraded"
	// StatusDown is the status of a dependency that is away.
	StatusDown = "unavailable"
)

// Check is the state of one dependency.
type Check struct {
	Status string `json:"status"`          // ok, unavailable
	Error  string `json:"error,omitempty"` // how it failed, in a word
}

// Report is the answer of /readyz.
type Report struct {
	Status string           `json:"status"` // ok, degraded
	Checks map[string]Check `json:"checks"` // by dependency
}

// Config is what a watch needs. Look is required.
type Config struct {
	// Look gives the state of each dependency, nil for a good one. Its context
	// ends within a second.
	Look func(ctx context.Context) map[string]error
	// Alive tells at any instant whether anything can be served; nil is always.
	// The dependency Vital must be up besides, when it is named.
	Alive func() bool
	Vital string
	// Word says how a dependency failed without saying where; nil is a word for
	// everything.
	Word func(error) string

	Log     *slog.Logger          // nil is silent
	Metrics prometheus.Registerer // nil is none
	// Metric is the name of the gauge by dependency.
	Metric string
}

// Watch is the state of a process's dependencies.
type Watch struct {
	cfg      Config
	up       *prometheus.GaugeVec
	report   atomic.Pointer[Report]
	complete atomic.Bool // everything but spares has been up at once
	stopping atomic.Bool
}

// NewWatch makes a watch. Nothing is known before Run.
func NewWatch(cfg Config) *Watch {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Word == nil {
		cfg.Word = func(error) string { return "unreachable" }
	}
	w := &Watch{cfg: cfg, up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: cfg.Metric, Help: "1 while the dependency is seen working, else 0."}, []string{"name"})}
	if cfg.Metrics != nil {
		cfg.Metrics.MustRegister(w.up)
	}
	w.report.Store(&Report{Status: StatusDegraded, Checks: map[string]Check{}})
	return w
}

// Run looks each second until ctx ends, and returns nil.
func (w *Watch) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Stop makes the process unready for good, so that balancers send nothing new
// while it drains.
func (w *Watch) Stop() { w.stopping.Store(true) }

// Ready gives the newest report and whether to send work here.
func (w *Watch) Ready() (Report, bool) {
	report := *w.report.Load()
	if w.stopping.Load() {
		report.Status = StatusDegraded
		return report, false
	}
	alive := w.cfg.Alive == nil || w.cfg.Alive()
	if w.cfg.Vital != "" {
		alive = alive && report.Checks[w.cfg.Vital].Status == StatusOK
	}
	return report, w.complete.Load() && alive
}

// look asks once and stores what it was told.
func (w *Watch) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	seen := w.cfg.Look(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return // what failed because the process is stopping says nothing
	}
	checks := make(map[string]Check, len(seen))
	for name, err := range seen {
		checks[name] = Check{Status: StatusOK}
		if err != nil {
			checks[name] = Check{Status: StatusDown, Error: w.cfg.Word(err)}
		}
	}
	w.publish(checks)
}

// publish stores the report and tells log and metrics what changed.
func (w *Watch) publish(checks map[string]Check) {
	report := &Report{Status: StatusOK, Checks: checks}
	before := w.report.Load().Checks
	whole := true
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		check, up := checks[name], 1.0
		if check.Status != StatusOK {
			report.Status, up = StatusDegraded, 0
			whole = whole && spare(name)
		}
		w.up.WithLabelValues(name).Set(up)
		if old, known := before[name]; known && old.Status != check.Status {
			w.cfg.Log.Warn("dependency changed", "name", name, "status", check.Status, "error", check.Error)
		}
	}
	w.report.Store(report)
	if whole && !w.complete.Swap(true) {
		w.cfg.Log.Info("ready", "checks", len(checks))
	}
}

// spare tells whether a dependency is one that another stands in for: a replica.
// That it is away is shown, and keeps no process from being ready.
func spare(name string) bool { return strings.HasSuffix(name, ".replica") }
