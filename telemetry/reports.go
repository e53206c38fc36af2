package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"

	"github.com/getsentry/sentry-go"
	"golang.org/x/time/rate"

	"tiffin/micro"
)

const (
	// reportsPerSecond and reportBurst bound what a failing dependency can make
	// of us: a thousand reports of one cause say no more than twenty.
	reportsPerSecond = 1
	reportBurst      = 20
)

// ReportsConfig says where errors are reported.
type ReportsConfig struct {
	DSN         string // of Sentry, or of whatever speaks its protocol
	Environment string // such as "production"
	Version     string // of the program
}

// Reports sends what is logged as an error: panics, internal errors and why
// requests failed. A nil *Reports sends nothing.
type Reports struct {
	client *sentry.Client
	limit  *rate.Limiter
}

// OpenReports starts sending. Without a DSN it gives nil.
func OpenReports(c ReportsConfig) (*Reports, error) {
	if c.DSN == "" {
		return nil, nil
	}
	client, err := sentry.NewClient(sentry.ClientOptions{
		Dsn: c.DSN, Environment: c.Environment, Release: "tiffin@" + c.Version,
		// What the library finds out by itself is not asked for: environment, modules,
		// source lines.
		Integrations: func([]sentry.Integration) []sentry.Integration { return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("SENTRY_DSN: %w", err)
	}
	return &Reports{client: client, limit: rate.NewLimiter(reportsPerSecond, reportBurst)}, nil
}

// Close sends what is left, for a few seconds at most.
func (r *Reports) Close() {
	if r == nil {
		return
	}
	r.client.Flush(closeTimeout)
	r.client.Close()
}

// Handler reports errors on their way into the log.
func (r *Reports) Handler(next slog.Handler) slog.Handler {
	if r == nil {
		return next
	}
	return reporter{next, r, nil}
}

type reporter struct {
	slog.Handler
	reports *Reports
	attrs   []slog.Attr // of the logger
}

// Handle implements slog.Handler.
func (h reporter) Handle(ctx context.Context, record slog.Record) error {
	if record.Level >= slog.LevelError && h.reports.limit.Allow() {
		attrs := slices.Clone(h.attrs)
		record.Attrs(func(a slog.Attr) bool {
			attrs = append(attrs, a)
			return true
		})
		h.reports.send(ctx, record, attrs)
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h reporter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return reporter{h.Handler.WithAttrs(attrs), h.reports, append(slices.Clone(h.attrs), attrs...)}
}

// WithGroup implements slog.Handler.
func (h reporter) WithGroup(name string) slog.Handler {
	return reporter{h.Handler.WithGroup(name), h.reports, h.attrs}
}

// told are the attributes that a report may have: what names parts of the
// program, and ids that lead to the log, which stays at home.
var told = []string{
	"service", "endpoint", "route", "status", "event", "consumer", "subject", "relay", "role", "shard", "region", "deliveries",
	"request_id", "trace_id",
}

// send reports one record. Of its error it tells the types and the text without
// what may be somebody's.
func (r *Reports) send(ctx context.Context, record slog.Record, attrs []slog.Attr) {
	event := sentry.NewEvent()
	event.Level, event.Timestamp, event.Message = sentry.LevelError, record.Time.UTC(), record.Message
	event.ServerName = "-" // else the library says the host's name
	event.Tags["actor_role"] = micro.ActorFrom(ctx).Role
	fault := sentry.Exception{Type: record.Message}
	for _, a := range attrs {
		switch value := a.Value.Resolve().Any().(type) {
		case error:
			fault.Type, fault.Value = fmt.Sprintf("%T", root(value)), scrub(value.Error())
		default:
			switch {
			case a.Key == "panic":
				fault.Type, fault.Value = "panic", scrub(a.Value.String())
			case a.Key == "stack":
				event.Contexts["goroutine"] = sentry.Context{"stack": scrubStack(a.Value.String())}
			case slices.Contains(told, a.Key):
				event.Tags[a.Key] = a.Value.String()
			}
		}
	}
	event.Exception = []sentry.Exception{fault}
	// One issue per cause: its place, what it is, and of which type.
	event.Fingerprint = []string{record.Message, fault.Type, event.Tags["service"], event.Tags["endpoint"], event.Tags["route"]}
	r.client.CaptureEvent(event, &sentry.EventHint{Context: ctx}, nil)
}

// root gives the innermost cause of an error.
func root(err error) error {
	for {
		wrapped, ok := err.(interface{ Unwrap() error })
		if !ok || wrapped.Unwrap() == nil {
			return err
		}
		err = wrapped.Unwrap()
	}
}

// What may be somebody's in the text of an error: whatever is quoted, passwords
// in URLs, e-mail addresses, and digits enough to be a phone number or a
// position. Ids and addresses of servers go with them; the log has them.
var private = []*regexp.Regexp{
	regexp.MustCompile(`"[^"]*"|'[^']*'|` + "`[^`]*`"),
	regexp.MustCompile(`\w+://\S+`),
	regexp.MustCompile(`\S+@\S+`),
	regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}`),
	regexp.MustCompile(`[-+]?\d[\d .()-]{4,}\d|\d+\.\d{3,}`),
}

func scrub(text string) string {
	for _, pattern := range private {
		text = pattern.ReplaceAllString(text, "…")
	}
	return text
}

// arguments are those of calls in a stack: addresses and words of memory.
var arguments = regexp.MustCompile(`(?m)^([^\t\n].*?)\([^()\n]*\)$`)

// scrubStack keeps functions, files and lines.
func scrubStack(stack string) string { return arguments.ReplaceAllString(stack, "$1(…)") }
