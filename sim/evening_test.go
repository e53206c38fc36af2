package sim_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/config"
	"tiffin/fleet"
	"tiffin/local/testenv"
	"tiffin/sim"
)

// startFleet runs the whole fleet on real servers of this test's own, and returns its URL.
func startFleet(t *testing.T) string {
	t.Helper()
	ns, shards := testenv.NATS(t), testenv.ShardURLs(t)
	vars := map[string]string{
		"NATS_URL": ns.URL, "REDIS_URL": testenv.RedisURL(t), "MONGODB_URL": testenv.Mongo(t), "RABBITMQ_URL": testenv.RabbitMQ(t),
		"JWT_SECRET": "a secret of at least thirty-two bytes", "BCRYPT_COST": "4", "RATE_LIMIT_AUTH": "0",
		"API_GATEWAY_PORT": freePort(t), "TRACKING_SERVICE_PORT": freePort(t),
	}
	for id, url := range shards {
		vars["POSTGRES_SHARD_"+strings.ToUpper(id)+"_URL"] = url
	}
	for _, role := range config.NATSRoles {
		vars["NATS_"+strings.ToUpper(role)+"_PASSWORD"] = ns.Password(role)
	}
	cfg, err := config.FromMap(vars)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- fleet.Run(ctx, fleet.Config{Config: cfg, Roles: fleet.Roles, Log: slog.New(slog.DiscardHandler)})
	}()
	t.Cleanup(func() { stop(); require.NoError(t, <-done) })
	edge := "http://127.0.0.1:" + vars["API_GATEWAY_PORT"]
	require.Eventually(t, func() bool { return ready(edge) }, time.Minute, 50*time.Millisecond)
	return edge
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

func ready(edge string) bool {
	res, err := http.Get(edge + "/readyz") //nolint:noctx // polled
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

// output is what the simulator printed, readable while it prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}
func (o *output) String() string { o.mu.Lock(); defer o.mu.Unlock(); return o.text.String() }

// number reads a figure off the summary.
func number(t *testing.T, text, pattern string) int {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return n
}

func restaurants(t *testing.T, edge string) int {
	t.Helper()
	res, err := http.Get(edge + "/restaurants?limit=100") //nolint:noctx // once
	require.NoError(t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return bytes.Count(data, []byte(`"ownerUserId"`))
}

// play runs an evening until the output says what is waited for, and then stops it as Ctrl-C does.
func play(t *testing.T, edge, until string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, done := &output{}, make(chan error, 1)
	go func() {
		done <- sim.Run(ctx, sim.Config{
			Edge: edge, Cities: []string{"San Francisco", "Boston", "Guadalajara"}, OrdersPerMinute: 40, Speed: 12, Seed: 7, Out: out,
		})
	}()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), until) }, 3*time.Minute, 50*time.Millisecond, out)
	stop()
	require.NoError(t, <-done)
	return out.String()
}

// An evening in one city of each shard, on a real fleet: food is ordered, cooked, carried past the eyes of those who
// ordered it, and delivered; nothing goes wrong. The next evening has the same people and the same restaurants, and goes
// on with what was left.
func TestTwoEvenings(t *testing.T) {
	t.Parallel()
	edge := startFleet(t)
	first := play(t, edge, "delivered  after")
	require.Positive(t, number(t, first, `(\d+) orders placed`), first)
	require.Positive(t, number(t, first, `(\d+) seen by customers`), first)
	require.NotContains(t, first, "× ", "something that should not happen did:\n%s", first)
	require.Equal(t, 6, restaurants(t, edge))

	second := play(t, edge, "resumed")
	require.NotContains(t, second, "× ", "something that should not happen did:\n%s", second)
	require.Equal(t, 6, restaurants(t, edge), "the second evening found what the first one opened")
}

// A fleet that is not there is one clear line, not a stack of them.
func TestNoFleet(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	out := &output{}
	require.NoError(t, sim.Run(ctx, sim.Config{Edge: "http://127.0.0.1:1", Out: out}), "stopped before it began")
	require.Empty(t, out.String())
	require.ErrorContains(t, sim.Run(t.Context(), sim.Config{Edge: "nonsense", Out: out}), fmt.Sprintf("edge %q", "nonsense"))
}
