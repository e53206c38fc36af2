package edge_test

import (
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"tiffin/local/testenv"
	"tiffin/services/edge"
)

// connections is how many clients a benchmark has, each with one request at a
// time.
const connections = 64

// hammer sends GET requests from all connections.
func hammer(b *testing.B, url, token string) {
	b.Helper()
	client := &fasthttp.Client{MaxConnsPerHost: connections}
	defer client.CloseIdleConnections()
	b.SetParallelism(connections / 2)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(req)
		defer fasthttp.ReleaseResponse(res)
		req.SetRequestURI(url)
		req.Header.Set("Authorization", "Bearer "+token)
		for pb.Next() {
			if err := client.Do(req, res); err != nil || res.StatusCode() != fasthttp.StatusOK {
				b.Errorf("%v %d %s", err, res.StatusCode(), res.Body())
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkGetOrder is the whole edge: token, limits (high), checks, metrics,
// log, and the kit on both sides.
func BenchmarkGetOrder(b *testing.B) {
	w := newWorld(b, limits(edge.RateLimits{General: 1e6, Auth: 1e6, Orders: 1e6, Location: 1e6}))
	hammer(b, w.url+"/orders/"+orderID, w.token(b, "customer"))
}

// BenchmarkBareHop is the least there can be in its place: Fiber, one NATS
// request, an echo of the same size.
func BenchmarkBareHop(b *testing.B) {
	server := testenv.NATS(b)
	body, err := json.Marshal(sampleOrder)
	require.NoError(b, err)
	service, caller := server.Conn("order"), server.Conn("edge")
	_, err = service.QueueSubscribe("order.get", "q", func(m *nats.Msg) { _ = m.Respond(body) }) // a lost answer shows as a timeout
	require.NoError(b, err)
	require.NoError(b, service.Flush())
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/orders/:id", func(c *fiber.Ctx) error {
		msg, err := caller.Request("order.get", []byte(`{"id":"`+c.Params("id")+`"}`), 5*time.Second)
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(msg.Data)
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	hammer(b, "http://"+ln.Addr().String()+"/orders/"+orderID, "unread")
	require.NoError(b, app.Shutdown())
	require.NoError(b, <-done)
}
