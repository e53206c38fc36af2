package edge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/token"
	"tiffin/services/edge"
)

const (
	secret       = "a secret for tests, long enough for HMAC"
	userID       = "01935c8e-2f4a-8b1c-9d3e-5f60718293a4"
	orderID      = "01935c8f-10b2-8b1c-a7c4-1122334455aa"
	restaurantID = "67409f3e2b1c4d5e6f708190"
	itemID       = "67409f3e2b1c4d5e6f708192"
)

// roles are those of accounts.
var roles = []string{auth.RoleCustomer, auth.RoleOwner, auth.RoleRider, auth.RoleAdmin}

// world is an edge on real listeners, with real NATS and Redis, and stand-ins
// for the services.
type world struct {
	*services
	nats     *testenv.NATSServer
	redisURL string
	edge     *edge.Server
	url      string
	client   *http.Client
	signer   *token.Signer
	log      *logBuffer
	stop     func() error
}

// logBuffer may be written by the edge while a test reads it.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// newWorld starts one edge without limits, unless options change it.
func newWorld(t testing.TB, options ...func(*edge.Config)) *world {
	t.Helper()
	server := testenv.NATS(t)
	w := &world{services: startServices(t, server), nats: server, redisURL: testenv.RedisURL(t)}
	w.open(t, options...)
	return w
}

// beside starts another edge in front of the same services.
func (w *world) beside(t testing.TB, options ...func(*edge.Config)) *world {
	t.Helper()
	other := &world{services: w.services, nats: w.nats, redisURL: w.redisURL}
	other.open(t, options...)
	return other
}

func (w *world) open(t testing.TB, options ...func(*edge.Config)) {
	t.Helper()
	opts, err := redis.ParseURL(w.redisURL)
	require.NoError(t, err)
	store := redis.NewClient(opts)
	conn, registry := w.nats.Conn("edge"), prometheus.NewRegistry()
	w.log = &logBuffer{}
	w.signer = token.NewSigner(secret, time.Hour)
	cfg := edge.Config{
		BindAddress: "127.0.0.1", Conn: conn, Client: micro.NewClient(conn, micro.ClientConfig{Metrics: registry}), Redis: store,
		Verifier: token.NewVerifier(secret), Log: slog.New(micro.LogHandler(slog.NewJSONHandler(w.log, nil))), Metrics: registry, Gatherer: registry,
		Shards: []edge.ShardInfo{{ID: "a", Regions: []string{"us-west"}}},
	}
	for _, option := range options {
		option(&cfg)
	}
	w.edge, err = edge.New(cfg)
	require.NoError(t, err)
	w.url = "http://" + w.edge.Addr().String()
	w.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 20 * time.Second}

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.edge.Run(ctx) }()
	w.stop = sync.OnceValue(func() error { cancel(); return <-done })
	if cfg.RateLimits.General > 0 {
		// Before its limiter has reached Redis an edge counts for itself, and
		// forgets that when it begins to share.
		require.Eventually(t, func() bool { return strings.Contains(w.log.String(), "shared through redis") }, 5*time.Second, time.Millisecond)
	}
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		require.NoError(t, w.stop())
		require.NoError(t, store.Close())
	})
}

// ready waits for the first good /readyz.
func (w *world) ready(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool { return w.get(t, "/readyz").status == http.StatusOK }, 10*time.Second, 20*time.Millisecond)
}

// token gives a good token of the role.
func (w *world) token(t testing.TB, role string) string {
	t.Helper()
	raw, _, err := w.signer.Sign(userID, role, "family")
	require.NoError(t, err)
	return raw
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem decodes the body as problem details and checks what all of them have
// in common.
func (a answer) problem(t testing.TB) map[string]any {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), a.body)
	var p map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &p), a.body)
	require.InDelta(t, float64(a.status), p["status"], 0)
	require.NotEmpty(t, p["type"])
	require.NotEmpty(t, p["title"])
	require.Equal(t, a.header.Get("X-Request-Id"), p["instance"])
	return p
}

// send makes a request; headers are name, value, name, value.
func (w *world) send(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	return w.do(t, req)
}

func (w *world) do(t testing.TB, req *http.Request) answer {
	t.Helper()
	res, err := w.client.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(data)}
}

func (w *world) get(t testing.TB, path string, headers ...string) answer {
	t.Helper()
	return w.send(t, http.MethodGet, path, "", headers...)
}

// as gives the headers of a JSON request by the role, "" for nobody.
func (w *world) as(t testing.TB, role string, more ...string) []string {
	t.Helper()
	headers := append([]string{"Content-Type", "application/json"}, more...)
	if role == "" {
		return headers
	}
	return append(headers, "Authorization", "Bearer "+w.token(t, role))
}
