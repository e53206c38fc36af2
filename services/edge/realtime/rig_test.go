package realtime_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/token"
	"tiffin/services/edge/inbound"
	"tiffin/services/edge/realtime"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/services/tracking/trackingtest"
)

// TestMain finds goroutines left behind. fasthttp's own two, a cleaner asleep and a clock for all servers, end by
// themselves some seconds after the last server.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

const (
	secret   = "a secret of the tests, long enough"
	homePage = "http://home.example"
)

// edge is one realtime server behind a listener, as an edge runs it.
type edge struct {
	addr    string
	metrics *prometheus.Registry
	stop    func() // ends it as SIGTERM does, and waits
}

// runEdge starts an edge on the given address ("" for any). It ends with the test.
func runEdge(t testing.TB, b *trackingtest.Bed, addr string, change func(*realtime.Config)) *edge {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	e := &edge{metrics: prometheus.NewRegistry()}
	client := micro.NewClient(b.NATS.Conn("edge"), micro.ClientConfig{})
	cfg := realtime.Config{
		Verifier: token.NewVerifier(secret), Orders: order.NewClient(client), Tracking: tracking.NewClient(client),
		Redis: b.Redis, Origins: []string{homePage}, Log: slog.New(slog.DiscardHandler), Metrics: e.metrics,
		DrainTime: 50 * time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	srv := realtime.New(cfg)
	gate := inbound.New(inbound.Config{Origins: cfg.Origins})
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, Immutable: true, ErrorHandler: gate.HandleError,
		ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 30 * time.Second,
	})
	app.Use(gate.Handle)
	srv.Mount(app)

	var ln net.Listener
	require.Eventually(t, func() bool { // the port of an edge that has just ended may take a moment
		var err error
		ln, err = net.Listen("tcp", addr)
		return err == nil
	}, 5*time.Second, 10*time.Millisecond)
	e.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ran, served := make(chan error, 1), make(chan error, 1)
	go func() { ran <- srv.Run(ctx) }()
	go func() { served <- app.Listener(ln) }()
	stopped := false
	e.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		require.NoError(t, <-ran)
		require.NoError(t, app.ShutdownWithTimeout(5*time.Second))
		require.NoError(t, <-served)
	}
	t.Cleanup(e.stop)
	require.Eventually(t, srv.Up, 5*time.Second, 5*time.Millisecond)
	return e
}

// gauge reads a metric without labels.
func (e *edge) gauge(t testing.TB, name string) float64 {
	t.Helper()
	families, err := e.metrics.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	require.FailNow(t, "no metric "+name)
	return 0
}

// tokenOf signs somebody in.
func tokenOf(t testing.TB, id, role string) string {
	t.Helper()
	return tokenFor(t, id, role, time.Hour)
}

func tokenFor(t testing.TB, id, role string, ttl time.Duration) string {
	t.Helper()
	raw, _, err := token.NewSigner(secret, ttl).Sign(id, role, "family")
	require.NoError(t, err)
	return raw
}

func customerToken(t testing.TB, tr trackingtest.Trip) string {
	t.Helper()
	return tokenOf(t, tr.Customer, auth.RoleCustomer)
}

// loopback is the network whose clients tests may spare from limits.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// advance changes an order at the order service and publishes the event, as the real ones do.
func advance(t testing.TB, b *trackingtest.Bed, tr trackingtest.Trip, to order.Status) int64 {
	t.Helper()
	seq := b.Advance(tr, to)
	b.Publish(order.EventStatus, tr.OrderID, order.StatusEvent{
		EventType: order.EventStatus, OrderID: tr.OrderID, DeliveryPartnerID: &tr.Rider, To: to, Seq: seq,
	}, nil)
	return seq
}

// publishRaw puts a message on the live channel without a tracking service.
func publishRaw(t testing.TB, client *redis.Client, orderID, message string) {
	t.Helper()
	require.NoError(t, client.Publish(t.Context(), tracking.LiveChannel(orderID), message).Err())
}
