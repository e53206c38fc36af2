package inbound_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
	"tiffin/services/edge/inbound"
)

// bench is a gate with a few handlers behind it.
type bench struct {
	app  *fiber.App
	log  *bytes.Buffer
	seen *inbound.Request // by the last handler
	ctx  trace.SpanContext
}

func setup(t *testing.T, cfg inbound.Config) *bench {
	t.Helper()
	b := &bench{log: &bytes.Buffer{}}
	cfg.Log = slog.New(micro.LogHandler(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	gate := inbound.New(cfg)
	b.app = fiber.New(fiber.Config{ErrorHandler: gate.HandleError, Immutable: true})
	b.app.Use(gate.Handle)
	b.app.Get("/ok", func(c *fiber.Ctx) error {
		b.seen = inbound.From(c)
		b.seen.Route = "/ok"
		b.ctx = trace.SpanContextFromContext(c.UserContext())
		require.Equal(t, b.seen.ID, micro.RequestID(c.UserContext()))
		return c.SendString("fine")
	})
	b.app.Get("/panic", func(*fiber.Ctx) error { panic("postgres://user:secret@db/tiffin") })
	b.app.Get("/broken", func(*fiber.Ctx) error { return errors.New("dial tcp 10.1.2.3:5432: refused") })
	b.app.Get("/half", func(c *fiber.Ctx) error {
		_, err := c.WriteString(`{"half":`)
		return errors.Join(err, micro.NotFound("order"))
	})
	return b
}

// get sends a request with headers given as name, value, name, value.
func (b *bench) get(t *testing.T, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	req := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := b.app.Test(req, -1)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res, string(body)
}

func TestRequestIDIsTakenOverOrMade(t *testing.T) {
	t.Parallel()
	b := setup(t, inbound.Config{})
	for _, good := range []string{"a", "order-7_retry.2~x", strings.Repeat("x", 128)} {
		res, _ := b.get(t, "GET", "/ok", "X-Request-Id", good)
		require.Equal(t, good, res.Header.Get("X-Request-Id"))
		require.Equal(t, good, b.seen.ID)
	}
	seen := map[string]bool{}
	for _, bad := range []string{"", "two words", "<script>", "ünïcode", "a\tb", strings.Repeat("x", 129), "x/../y"} {
		res, _ := b.get(t, "GET", "/ok", "X-Request-Id", bad)
		made := res.Header.Get("X-Request-Id")
		require.NotEqual(t, bad, made)
		require.Regexp(t, `^[0-9A-Za-z]{10,}$`, made)
		require.False(t, seen[made], "each is new")
		seen[made] = true
	}
}

func TestTraceIsContinuedOrBegun(t *testing.T) {
	t.Parallel()
	b := setup(t, inbound.Config{})
	const given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	res, _ := b.get(t, "GET", "/ok", "traceparent", given)
	require.Equal(t, given, res.Header.Get("Traceparent"))
	require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", b.ctx.TraceID().String())
	require.Equal(t, b.ctx.TraceID().String(), b.seen.TraceID)

	for _, bad := range []string{"", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-xyz", "ff-" + given[3:]} {
		res, _ := b.get(t, "GET", "/ok", "traceparent", bad)
		require.Regexp(t, `^00-[0-9a-f]{32}-[0-9a-f]{16}-00$`, res.Header.Get("Traceparent"))
		require.True(t, b.ctx.IsValid(), "services get the trace that the client is told of")
		require.Contains(t, res.Header.Get("Traceparent"), b.ctx.TraceID().String())
	}
}

func TestSpansAreNamedByRoute(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	b := setup(t, inbound.Config{Traces: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))})
	res, _ := b.get(t, "GET", "/ok")
	b.get(t, "GET", "/made/up")
	b.get(t, "GET", "/broken")
	spans := recorder.Ended()
	require.Len(t, spans, 3)
	require.Equal(t, []string{"GET /ok", "GET unmatched", "GET unmatched"}, []string{spans[0].Name(), spans[1].Name(), spans[2].Name()})
	require.Contains(t, res.Header.Get("Traceparent"), spans[0].SpanContext().SpanID().String())
	require.Equal(t, "Error", spans[2].Status().Code.String())
}

// Only a trusted proxy may say that a trace be recorded.
func TestAClientDoesNotDecideWhatIsRecorded(t *testing.T) {
	t.Parallel()
	const given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for proxies, recorded := range map[string]int{"0.0.0.0/32": 1, "10.0.0.0/8": 0} { // app.Test's peer is 0.0.0.0
		recorder := tracetest.NewSpanRecorder()
		traces := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder),
			sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())))
		b := setup(t, inbound.Config{Traces: traces, Proxies: networks(t, proxies)})
		res, _ := b.get(t, "GET", "/ok", "traceparent", given)
		require.Len(t, recorder.Ended(), recorded)
		require.Contains(t, res.Header.Get("Traceparent"), given[:35], "the ids go on")
	}
}

// Whatever goes wrong inside, the client gets a problem without any of it, and
// the log gets it with the request id.
func TestFailuresAreHiddenAndLogged(t *testing.T) {
	t.Parallel()
	for path, secret := range map[string]string{"/panic": "secret", "/broken": "10.1.2.3"} {
		b := setup(t, inbound.Config{})
		res, body := b.get(t, "GET", path, "X-Request-Id", "find-me")
		require.Equal(t, 500, res.StatusCode)
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
		var problem map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &problem))
		require.Equal(t, "find-me", problem["instance"])
		require.NotContains(t, body, secret)
		require.Contains(t, b.log.String(), secret)
		require.Contains(t, b.log.String(), `"request_id":"find-me"`)
	}
}

func TestHalfAnAnswerIsReplacedByTheProblem(t *testing.T) {
	t.Parallel()
	b := setup(t, inbound.Config{})
	res, body := b.get(t, "GET", "/half")
	require.Equal(t, 404, res.StatusCode)
	require.NotContains(t, body, "half")
	require.True(t, json.Valid([]byte(body)), body)
}

func TestEveryAnswerIsHardened(t *testing.T) {
	t.Parallel()
	b := setup(t, inbound.Config{Proxies: networks(t, "0.0.0.0/32")})
	for _, path := range []string{"/ok", "/panic", "/nowhere"} {
		res, _ := b.get(t, "GET", path)
		require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
		require.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'")
		require.Empty(t, res.Header.Get("Strict-Transport-Security"), "plain HTTP must not pin TLS")
	}
	// app.Test's peer is 0.0.0.0, which is trusted here.
	res, _ := b.get(t, "GET", "/ok", "X-Forwarded-Proto", "https", "X-Forwarded-For", "198.51.100.1")
	require.NotEmpty(t, res.Header.Get("Strict-Transport-Security"))
	require.Equal(t, "198.51.100.1", b.seen.Client.String())
	b.get(t, "GET", "/ok", "X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "198.51.100.2")
	require.Equal(t, "198.51.100.2", b.seen.Client.String(), "several headers are one list")
}

func TestCORS(t *testing.T) {
	t.Parallel()
	b := setup(t, inbound.Config{Origins: []string{"https://app.example.com/", "http://localhost:5173"}})
	const listed, foreign = "https://app.example.com", "https://app.example.com.evil.net"

	res, body := b.get(t, "GET", "/ok", "Origin", listed)
	require.Equal(t, "fine", body)
	require.Equal(t, listed, res.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "true", res.Header.Get("Access-Control-Allow-Credentials"))
	require.Contains(t, res.Header.Get("Access-Control-Expose-Headers"), "RateLimit-Remaining")
	require.Contains(t, res.Header.Get("Vary"), "Origin")

	for _, origin := range []string{foreign, "null", "https://APP.example.com", "http://app.example.com"} {
		res, _ = b.get(t, "GET", "/ok", "Origin", origin)
		require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"), origin)
		require.Contains(t, res.Header.Get("Vary"), "Origin")
	}

	res, body = b.get(t, "OPTIONS", "/ok", "Origin", listed, "Access-Control-Request-Method", "PATCH")
	require.Equal(t, 204, res.StatusCode)
	require.Empty(t, body)
	require.Contains(t, res.Header.Get("Access-Control-Allow-Methods"), "PATCH")
	require.Contains(t, res.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key")
	res, _ = b.get(t, "OPTIONS", "/ok", "Origin", foreign, "Access-Control-Request-Method", "PATCH")
	require.Empty(t, res.Header.Get("Access-Control-Allow-Methods"))

	res, _ = b.get(t, "GET", "/nowhere", "Origin", listed)
	require.Equal(t, 404, res.StatusCode)
	require.Equal(t, listed, res.Header.Get("Access-Control-Allow-Origin"), "a page may read refusals too")
}

func TestMetricsAreByRouteNotByPath(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	b := setup(t, inbound.Config{Metrics: registry})
	b.get(t, "GET", "/ok")
	for _, path := range []string{"/a", "/b", "/c?secret=1"} {
		b.get(t, "GET", path)
	}
	b.get(t, "GET", "/panic")
	families, err := registry.Gather()
	require.NoError(t, err)
	series := map[string]int{}
	for _, f := range families {
		series[f.GetName()] = len(f.GetMetric())
		if f.GetName() == "tiffin_http_panics_total" {
			require.InDelta(t, 1, f.GetMetric()[0].GetCounter().GetValue(), 0)
		}
	}
	require.Equal(t, 3, series["tiffin_http_request_duration_seconds"], "ok 200, unmatched 404, unmatched 500")
	require.NotContains(t, b.log.String(), "secret=1", "queries may hold personal data")
}
