package fleet

import (
	"context"
	"log/slog"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"

	"tiffin/micro"
	"tiffin/telemetry"
)

// sinks are where a process sends what it saw, besides its log and its metrics.
type sinks struct {
	traces  *telemetry.Traces
	reports *telemetry.Reports
}

// openSinks opens those that are configured, and gives the logger of everything
// in the process: its lines say which request they belong to, and its errors are
// reported.
func (c Config) openSinks(ctx context.Context, metrics prometheus.Registerer) (sinks, *slog.Logger, error) {
	headers, err := c.Config.TraceHeaders()
	if err != nil {
		return sinks{}, nil, err
	}
	reports, err := telemetry.OpenReports(telemetry.ReportsConfig{
		DSN: c.Config.SentryDSN, Environment: c.Config.AppEnv, Version: version()})
	if err != nil {
		return sinks{}, nil, err
	}
	log := slog.New(micro.LogHandler(reports.Handler(c.Log.Handler())))
	traces, err := telemetry.OpenTraces(ctx, telemetry.TracesConfig{
		Endpoint: c.Config.OTLPEndpoint, Headers: headers, Ratio: c.Config.TracesRatio,
		Environment: c.Config.AppEnv, Version: version(), Log: log, Metrics: metrics,
	})
	return sinks{traces, reports}, log, err
}

// close sends what is left.
func (s sinks) close() {
	s.traces.Close()
	s.reports.Close()
}

// version is what the binary was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
