package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tiffin/micro"
	"tiffin/telemetry"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// inbox is what receives errors: it speaks Sentry's protocol of envelopes.
type inbox struct {
	*httptest.Server
	got chan map[string]any // events, as they came
	raw chan string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{got: make(chan map[string]any, 100), raw: make(chan string, 100)}
	in.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil || req.URL.Path != "/api/7/envelope/" || !strings.Contains(req.Header.Get("X-Sentry-Auth"), "sentry_key=key") {
			t.Errorf("%s: %v", req.URL, err)
			return
		}
		// An envelope is lines: its header, then a header and a body of each item.
		lines := strings.Split(string(body), "\n")
		for i := 1; i+1 < len(lines); i += 2 {
			var header, event map[string]any
			if json.Unmarshal([]byte(lines[i]), &header) == nil && header["type"] == "event" && json.Unmarshal([]byte(lines[i+1]), &event) == nil {
				in.raw <- lines[i+1]
				in.got <- event
			}
		}
	}))
	t.Cleanup(in.Close)
	return in
}

// open gives a log whose errors are reported there.
func (in *inbox) open(t *testing.T) (*slog.Logger, *telemetry.Reports, *bytes.Buffer) {
	t.Helper()
	reports, err := telemetry.OpenReports(telemetry.ReportsConfig{
		DSN: strings.Replace(in.URL, "//", "//key@", 1) + "/7", Environment: "test", Version: "1.2.3"})
	require.NoError(t, err)
	t.Cleanup(reports.Close)
	var text bytes.Buffer
	return slog.New(micro.LogHandler(reports.Handler(slog.NewJSONHandler(&text, nil)))), reports, &text
}

func TestAnInternalErrorIsReportedWithoutAnybodyInIt(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	log, _, text := in.open(t)
	ctx := micro.WithRequestID(micro.WithActor(t.Context(), micro.Actor{Role: "customer", ID: "5f1d7a7e-0000-8000-8000-000000000001"}), "find-me")
	cause := fmt.Errorf("read order: %w", &pgconn.PgError{Code: "22P02", Severity: "ERROR", Message: `invalid input: "ada@example.com"`})
	log.With("service", "order").ErrorContext(ctx, "internal error", "endpoint", "create", "path", "/orders/5f1d7a7e", "client", "203.0.113.9",
		"error", fmt.Errorf("at postgres://tiffin:secret@10.0.0.1/x of +1 415 555 0100 near 37.7751: %w", cause))

	event, raw := <-in.got, <-in.raw
	require.Equal(t, "internal error", event["message"])
	require.Equal(t, "test", event["environment"])
	require.Equal(t, "tiffin@1.2.3", event["release"])
	tags := event["tags"].(map[string]any)
	require.Equal(t, map[string]any{"service": "order", "endpoint": "create", "request_id": "find-me", "actor_role": "customer"}, tags)
	fault := event["exception"].([]any)[0].(map[string]any)
	require.Equal(t, "*pgconn.PgError", fault["type"])
	require.Contains(t, fault["value"], "22P02")
	require.Contains(t, fault["value"], "read order")
	for _, private := range []string{"ada@", "5f1d7a7e", "203.0.113.9", "secret", "10.0.0.1", "415 555", "37.7751"} {
		require.NotContains(t, raw, private)
	}
	require.Contains(t, text.String(), "ada@example.com", "the log stays at home and has it all")
}

func TestAPanicIsReportedWithItsPlace(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	log, _, _ := in.open(t)
	log.Error("panic in handler", "route", "/orders/:id", "panic", "no order of bob@example.com",
		"stack", "goroutine 7 [running]:\ntiffin/services/order/server.(*Server).get(0xc000123450, {0xdeadbeef, 0x12})\n\t/src/read.go:42 +0x1d\n")
	event, raw := <-in.got, <-in.raw
	require.Equal(t, "panic", event["exception"].([]any)[0].(map[string]any)["type"])
	require.Contains(t, raw, "server.(*Server).get(…)")
	require.Contains(t, raw, "/src/read.go:42")
	require.NotContains(t, raw, "deadbeef", "words of memory may be anything")
	require.NotContains(t, raw, "bob@")
}

func TestWhatIsNoErrorIsNotReported(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	log, reports, text := in.open(t)
	log.Warn("a shard is away", "error", errors.New("refused"))
	log.Info("request")
	reports.Close()
	require.Empty(t, in.got)
	require.Equal(t, 2, strings.Count(text.String(), "\n"), "the log is as it was")
}

func TestAFloodIsReportedInPart(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	log, reports, text := in.open(t)
	for range 1000 {
		log.Error("request failed")
	}
	reports.Close()
	require.NotEmpty(t, in.got)
	require.Less(t, len(in.got), 40)
	require.Equal(t, 1000, strings.Count(text.String(), "\n"))
}

func TestWithoutAnAddressNothingIsDone(t *testing.T) {
	t.Parallel()
	reports, err := telemetry.OpenReports(telemetry.ReportsConfig{})
	require.NoError(t, err)
	next := slog.DiscardHandler
	require.Equal(t, next, reports.Handler(next), "not even a wrapper")
	reports.Close()
	traces, err := telemetry.OpenTraces(context.Background(), telemetry.TracesConfig{})
	require.NoError(t, err)
	require.Nil(t, traces.For("order"))
	traces.Close()
	_, err = telemetry.OpenReports(telemetry.ReportsConfig{DSN: "nonsense"})
	require.ErrorContains(t, err, "SENTRY_DSN")
}

// An address or a number never gets through, whatever stands around it.
func TestNoAddressAndNoNumberGetsOut(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	rapid.Check(t, func(r *rapid.T) {
		log, reports, _ := in.open(t)
		mail := rapid.StringMatching(`[a-z]{3,9}`).Draw(r, "name") + "@" + rapid.StringMatching(`[a-z]{3,9}\.(com|net)`).Draw(r, "host")
		phone := rapid.StringMatching(`\+1[2-9][0-9]{9}`).Draw(r, "phone")
		around := rapid.SampledFrom([]string{" ", ", ", ": ", "=", " <"}).Draw(r, "around")
		log.Error("internal error", "error", errors.New("of"+around+mail+around+phone))
		reports.Close()
		raw := <-in.raw
		<-in.got
		require.NotContains(r, raw, mail)
		require.NotContains(r, raw, phone)
	})
}
