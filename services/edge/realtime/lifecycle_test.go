package realtime_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/edge/realtime"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/services/tracking/trackingtest"
)

// position is a live message of the order, taken at the given time.
func position(orderID string, at time.Time, latitude float64) string {
	return fmt.Sprintf(`{"event":"location-updated","data":{"timestamp":"%s","orderId":"%s","deliveryPartnerId":"x","latitude":%v,"longitude":0}}`,
		at.UTC().Format("2006-01-02T15:04:05.000Z"), orderID, latitude)
}

// TestNobodyGetsAnothersMessages is a regression test of the whole class: libraries that pool connections hand one on
// to the next client while a writer still holds it, and user A's messages reach user B. Here clients come and go by the
// hundred while positions are being sent, and each checks that it gets its own order only.
func TestNobodyGetsAnothersMessages(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	ride, arrive := context.WithCancel(t.Context())
	defer arrive()
	var senders, clients sync.WaitGroup
	for worker := range 8 {
		tr := b.Assigned(delivery.Accepted)
		raw := customerToken(t, tr)
		senders.Go(func() { sendBursts(ride, t, b.Redis, tr.OrderID, float64(worker)) })
		clients.Go(func() {
			for range 30 {
				header := http.Header{"Authorization": {"Bearer " + raw}}
				conn, _, err := dialWith(e, header, nil)
				if !assertNoError(t, err) {
					return
				}
				c := &wsClient{t: t, conn: conn}
				c.subscribe(tr.OrderID, nil)
				for range 3 {
					got := decode[tracking.Location](t, c.until("location-updated"))
					if got.OrderID != tr.OrderID || got.Latitude != float64(worker) {
						t.Errorf("a client of %s got %+v", tr.OrderID, got)
					}
				}
				// Not a goodbye: the connection breaks while the server is writing.
				_ = conn.NetConn().Close()
			}
		})
	}
	clients.Wait()
	arrive()
	senders.Wait()
	require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == 0 }, 10*time.Second, 10*time.Millisecond)
	require.Zero(t, e.gauge(t, "tiffin_realtime_rooms"))
}

// sendBursts publishes positions of an order until ctx ends: often enough that some are being written whenever a client
// breaks off, and in bursts with a pause after each, because a sender without one starves the services that clients ask.
func sendBursts(ctx context.Context, t testing.TB, client *redis.Client, orderID string, latitude float64) {
	t.Helper()
	pause := time.NewTicker(4 * time.Millisecond)
	defer pause.Stop()
	at := time.Now()
	for ctx.Err() == nil {
		_, err := client.Pipelined(t.Context(), func(p redis.Pipeliner) error {
			for range 8 {
				at = at.Add(time.Millisecond)
				p.Publish(t.Context(), tracking.LiveChannel(orderID), position(orderID, at, latitude))
			}
			return nil
		})
		if !assertNoError(t, err) {
			return
		}
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}

func assertNoError(t testing.TB, err error) bool {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

// TestSlowClientsAreShedAndHarmNobody: some clients never read. The others get every change, and the slow ones are
// closed instead of growing a queue.
func TestSlowClientsAreShedAndHarmNobody(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	raw := customerToken(t, tr)
	const slow = 5
	for range slow {
		dial(t, e, raw).subscribe(tr.OrderID, nil) // and never reads again
	}
	good := dial(t, e, raw)
	good.subscribe(tr.OrderID, nil)

	padding := strings.Repeat("x", 8<<10) // fills what the kernels of both sides buffer in seconds, not minutes
	for seq := int64(3); e.gauge(t, "tiffin_realtime_shed_total") < slow; seq++ {
		publishRaw(t, b.Redis, tr.OrderID, fmt.Sprintf(
			`{"event":"order-updated","data":{"orderId":"%s","seq":%d,"status":"%s"}}`, tr.OrderID, seq, padding))
		require.Equal(t, seq, decode[order.Update](t, good.until("order-updated")).Seq)
	}
	require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == 1 }, 20*time.Second, 20*time.Millisecond)
}

// TestThousandSockets: goroutines and memory are back where they were when everybody has left.
func TestThousandSockets(t *testing.T) {
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	before := 0
	require.Eventually(t, func() bool { // until all that Run starts has started
		last := before
		before = serving()
		return before == last
	}, 5*time.Second, 50*time.Millisecond)
	heap := heapInUse()
	const sockets, rooms = 1000, 50
	trips := make([]trackingtest.Trip, rooms)
	for i := range trips {
		trips[i] = b.Assigned(delivery.Accepted)
	}
	conns := make([]*wsClient, sockets)
	var joining sync.WaitGroup
	for worker := range 10 {
		joining.Go(func() {
			for i := worker; i < sockets; i += 10 {
				tr := trips[i%rooms]
				conn, _, err := dialWith(e, http.Header{"Authorization": {"Bearer " + customerToken(t, tr)}}, nil)
				if !assertNoError(t, err) {
					return
				}
				conns[i] = &wsClient{t: t, conn: conn}
				conns[i].subscribe(tr.OrderID, nil)
			}
		})
	}
	joining.Wait()
	require.InDelta(t, sockets, e.gauge(t, "tiffin_realtime_sockets"), 0)
	require.InDelta(t, rooms, e.gauge(t, "tiffin_realtime_rooms"), 0)
	start := time.Now()
	for i, tr := range trips {
		publishRaw(t, b.Redis, tr.OrderID, position(tr.OrderID, start, float64(i)))
	}
	for i, c := range conns {
		if i%10 == 0 {
			continue // a tenth never read
		}
		require.InDelta(t, i%rooms, decode[tracking.Location](t, c.until("location-updated")).Latitude, 0)
	}
	for _, c := range conns {
		require.NoError(t, c.conn.Close())
	}
	require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == 0 }, 30*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool { return serving() <= before }, 10*time.Second, 20*time.Millisecond)
	require.Zero(t, e.gauge(t, "tiffin_realtime_rooms"))
	clear(conns)
	// A socket of either side holds several KiB: of a thousand that stay, there would be many times this.
	const slack = 2 << 20
	require.Eventually(t, func() bool { return heapInUse() < heap+slack }, 30*time.Second, 100*time.Millisecond)
}

// TestEdgeGoesAway: every client is told to come back, new ones are sent elsewhere, and Run returns.
func TestEdgeGoesAway(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", func(c *realtime.Config) { c.DrainTime = 500 * time.Millisecond })
	tr := b.Assigned(delivery.Accepted)
	clients := make([]*wsClient, 40)
	for i := range clients {
		clients[i] = dial(t, e, customerToken(t, tr))
		clients[i].subscribe(tr.OrderID, nil)
	}
	p := newPoller(t, e)
	p.join(customerToken(t, tr))
	polled := make(chan string, 1)
	go func() { _, body := p.poll(); polled <- body }()
	times := make(chan time.Time, len(clients))
	var closing sync.WaitGroup
	for _, c := range clients {
		closing.Go(func() {
			if code := c.closed(); code != 1001 {
				t.Errorf("closed with %d", code)
			}
			times <- time.Now()
		})
	}
	e.stop()
	closing.Wait()
	require.Equal(t, "1", <-polled)
	first, last := <-times, time.Time{}
	for range len(clients) - 1 {
		last = <-times
	}
	require.Greater(t, last.Sub(first), 150*time.Millisecond, "not all at once")
}

// TestTwoEdges: who watches on one sees the rider who is connected to the other.
func TestTwoEdges(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	one, two := runEdge(t, b, "", nil), runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	customer, rider := dial(t, one, customerToken(t, tr)), dial(t, two, tokenOf(t, tr.Rider, auth.RoleRider))
	customer.subscribe(tr.OrderID, nil)
	require.Nil(t, rider.ask("rider-location-update", trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now())).Error)
	customer.until("location-updated")
}

// TestRedisRestart: nothing that happened while Redis was away is missing afterwards, although nothing of it was
// published.
func TestRedisRestart(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]struct{ off, on func(*testenv.Server) }{
		"killed": {(*testenv.Server).Kill, (*testenv.Server).Start},
		"frozen": {(*testenv.Server).Pause, (*testenv.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := testenv.OwnRedis(t)
			opts, err := redis.ParseURL(own.URL)
			require.NoError(t, err)
			opts.ContextTimeoutEnabled, opts.MaxRetries = true, -1
			opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = time.Second, time.Second, time.Second
			client := redis.NewClient(opts)
			t.Cleanup(func() { require.NoError(t, client.Close()) })
			b := trackingtest.New(t, trackingtest.Options{Redis: client})
			e := runEdge(t, b, "", nil)
			tr := b.Assigned(delivery.Accepted)
			c := dial(t, e, customerToken(t, tr))
			c.subscribe(tr.OrderID, nil)

			breakIt.off(own)
			if name == "frozen" { // long enough for it to be noticed
				require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_live") == 0 }, 30*time.Second, 20*time.Millisecond)
			}
			b.Advance(tr, order.PickedUp)
			b.Ended(tr, order.Delivered)
			newcomer := dial(t, e, customerToken(t, tr))
			other := b.Assigned(delivery.Accepted)
			require.NotNil(t, newcomer.ask("subscribe-order", other.OrderID).Error)
			breakIt.on(own)

			require.Equal(t, order.PickedUp, decode[order.Update](t, c.until("order-updated")).Status)
			require.Equal(t, order.Delivered, decode[order.Update](t, c.until("order-updated")).Status)
		})
	}
}

// TestLostAndOvertakenChanges: a change that never came over the channel is fetched, one that was overtaken is sent in
// its place, one that comes twice is sent once.
func TestLostAndOvertakenChanges(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	c := dial(t, e, customerToken(t, tr))
	c.subscribe(tr.OrderID, nil)
	for range 4 {
		b.Advance(tr, order.Ready)
	}
	change := func(seq int64) string {
		return fmt.Sprintf(`{"event":"order-updated","data":{"orderId":"%s","seq":%d,"status":"ready"}}`, tr.OrderID, seq)
	}
	for _, seq := range []int64{4, 3, 3, 6, 2} { // 5 is lost
		publishRaw(t, b.Redis, tr.OrderID, change(seq))
	}
	for want := int64(3); want <= 6; want++ {
		require.Equal(t, want, decode[order.Update](t, c.until("order-updated")).Seq)
	}
	publishRaw(t, b.Redis, tr.OrderID, "nonsense")
	publishRaw(t, b.Redis, tr.OrderID, `{"event":"order-updated","data":5}`)
	publishRaw(t, b.Redis, tr.OrderID, `{"event":"location-updated","data":{}}`)
	publishRaw(t, b.Redis, tr.OrderID, change(7))
	require.EqualValues(t, 7, decode[order.Update](t, c.read().Data).Seq)
}

// TestCompressionIsNegotiated with ws, the library of the stock Node clients, which compresses what it sends.
func TestCompressionIsNegotiated(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	n := startNode(t)
	n.do(map[string]any{"cmd": "ws", "url": "ws://" + e.addr + "/ws", "protocols": []string{subprotocol, "bearer." + customerToken(t, tr)},
		"options": map[string]any{"perMessageDeflate": map[string]any{"threshold": 0}}})
	opened := decode[struct{ Protocol, Extensions string }](t, n.until("open"))
	require.Equal(t, subprotocol, opened.Protocol)
	require.Contains(t, opened.Extensions, "permessage-deflate")
	n.do(map[string]any{"cmd": "send", "text": `{"event":"subscribe-order","data":"` + tr.OrderID + `","id":"long-` + strings.Repeat("x", 2000) + `"}`})
	answer := decode[wsMessage](t, n.until("message")) // long enough to come back compressed
	require.Nil(t, answer.Error)
	require.Len(t, decode[string](t, answer.ID), 2005)
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
	require.Equal(t, "location-updated", decode[wsMessage](t, n.until("message")).Event)
	n.do(map[string]any{"cmd": "sendBinary"})
	require.Equal(t, 1003, decode[struct{ Code int }](t, n.until("close")).Code)
}

// heapInUse is the memory that something still refers to.
func heapInUse() uint64 {
	var m runtime.MemStats
	for range 2 { // pools keep what they hold through one collection
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// serving counts the goroutines of this package.
func serving() (n int) {
	buf := make([]byte, 16<<20)
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(stack, "tiffin/services/edge/realtime") && !strings.Contains(stack, "testing.tRunner") {
			n++
		}
	}
	return n
}
