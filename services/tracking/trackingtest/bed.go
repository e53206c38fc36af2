// Package trackingtest builds what tests of live tracking stand on: the tracking service on real NATS and Redis, between
// an order and a delivery service of a few lines whose answers a test sets.
package trackingtest

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/services/tracking/server"
	"tiffin/wire"
)

// Bed is the service under test and its surroundings.
type Bed struct {
	NATS   *testenv.NATSServer
	Redis  *redis.Client
	JS     jetstream.JetStream // as ops
	Client *tracking.Client    // as the edge

	t     testing.TB
	peers Peers

	mu  sync.Mutex
	now time.Time // zero: the real time
}

// Peers are the services tracking asks.
type Peers struct {
	Orders    map[string]order.Updates        // by id; Updates holds all of them, from seq 1
	Current   map[string]*delivery.Assignment // by rider
	Asked     int                             // how often what a rider carries was asked
	Refuse    error                           // delivery's answer to everything
	Positions []delivery.Position             // handed to dispatch so far

	mu sync.Mutex
}

// Options change the service under test.
type Options struct {
	Rate  int           // fixes per second and rider, 0 = off
	Redis *redis.Client // nil: one of the bed's own
}

// New starts everything; it ends with the test.
func New(t testing.TB, o Options) *Bed {
	t.Helper()
	b := &Bed{t: t, NATS: testenv.NATS(t), Redis: o.Redis, peers: Peers{
		Orders: map[string]order.Updates{}, Current: map[string]*delivery.Assignment{},
	}}
	if b.Redis == nil {
		b.Redis = testenv.Redis(t)
	}
	b.JS = b.NATS.JS()
	_, err := micro.EnsureStream(t.Context(), b.JS, 1)
	require.NoError(t, err)
	b.Run(b.orderService())
	b.Run(b.deliveryService())

	conn := b.NATS.Conn("tracking")
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	s, err := server.New(t.Context(), server.Config{
		Conn: conn, JS: js, Redis: b.Redis, Client: micro.NewClient(conn, micro.ClientConfig{}),
		Log: slog.New(slog.DiscardHandler), Clock: b.clock, TrackingTTL: time.Hour, RateLimitLocation: o.Rate,
	})
	require.NoError(t, err)
	b.Run(s)
	b.Client = tracking.NewClient(micro.NewClient(b.NATS.Conn("edge"), micro.ClientConfig{}))
	return b
}

// runner is a service of any kind.
type runner interface {
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

// Run runs a service until the end of the test.
func (b *Bed) Run(s runner) {
	b.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	b.t.Cleanup(func() { stop(); require.NoError(b.t, <-done) })
	select {
	case <-s.Ready():
	case err := <-done:
		done <- err
		b.t.Fatal("service ended early: ", err)
	}
}

func (b *Bed) orderService() runner {
	conn := b.NATS.Conn("order")
	s := micro.NewService(micro.ServiceConfig{Name: order.ServiceName, Version: order.ServiceVersion, Conn: conn, Log: slog.New(slog.DiscardHandler)})
	micro.Handle(s, order.VerbUpdates, "Stands in for the order service", func(ctx context.Context, req order.UpdatesRequest) (order.Updates, error) {
		b.peers.mu.Lock()
		defer b.peers.mu.Unlock()
		state, ok := b.peers.Orders[req.ID]
		actor := micro.ActorFrom(ctx)
		if !ok || actor.Role == auth.RoleCustomer && actor.ID != state.Order.CustomerID {
			return order.Updates{}, micro.NotFound("order")
		}
		all := state.Updates
		state.Updates = []order.Update{}
		for _, u := range all {
			if req.Since != nil && u.Seq > *req.Since {
				state.Updates = append(state.Updates, u)
			}
		}
		return state, nil
	})
	return s
}

func (b *Bed) deliveryService() runner {
	conn := b.NATS.Conn("delivery")
	s := micro.NewService(micro.ServiceConfig{Name: delivery.ServiceName, Version: delivery.ServiceVersion, Conn: conn, Log: slog.New(slog.DiscardHandler)})
	micro.Handle(s, delivery.VerbCurrent, "Stands in for the delivery service", func(_ context.Context, req delivery.CurrentRequest) (delivery.CurrentResponse, error) {
		b.peers.mu.Lock()
		defer b.peers.mu.Unlock()
		b.peers.Asked++
		return delivery.CurrentResponse{Assignment: b.peers.Current[req.PartnerID]}, b.peers.Refuse
	})
	micro.Handle(s, delivery.VerbPosition, "Stands in for the delivery service", func(_ context.Context, req delivery.PositionRequest) (delivery.PositionResponse, error) {
		b.peers.mu.Lock()
		defer b.peers.mu.Unlock()
		if b.peers.Refuse == nil {
			b.peers.Positions = append(b.peers.Positions, req.Positions...)
		}
		return delivery.PositionResponse{Known: len(req.Positions)}, b.peers.Refuse
	})
	return s
}

// Set changes the Peers' answers.
func (b *Bed) Set(change func(p *Peers)) {
	b.peers.mu.Lock()
	defer b.peers.mu.Unlock()
	change(&b.peers)
}

// Asked tells how often delivery was asked what a rider carries.
func (b *Bed) Asked() (n int) {
	b.Set(func(p *Peers) { n = p.Asked })
	return n
}

// DeadRedis is a client of a Redis that is not there.
func DeadRedis(t testing.TB) *redis.Client {
	t.Helper()
	own := testenv.OwnRedis(t)
	opts, err := redis.ParseURL(own.URL)
	require.NoError(t, err)
	own.Kill()
	opts.MaxRetries = -1
	client := redis.NewClient(opts)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func (b *Bed) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now.IsZero() {
		return time.Now()
	}
	return b.now
}

// At sets the service's clock.
func (b *Bed) At(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

// Trip is an order on its way.
type Trip struct{ OrderID, Rider, Customer string }

// Where the trips begin and end, 1.4 km apart.
var (
	Kitchen = tracking.Point{Latitude: 37.7749, Longitude: -122.4194}
	Door    = tracking.Point{Latitude: 37.7849, Longitude: -122.4094}
)

// Assigned makes an order that delivery says the rider has, in the given state, without telling tracking.
func (b *Bed) Assigned(status delivery.AssignmentStatus) Trip {
	tr := Trip{OrderID: uuid.NewString(), Rider: uuid.NewString(), Customer: uuid.NewString()}
	b.Set(func(p *Peers) {
		p.Orders[tr.OrderID] = order.Updates{
			Order: order.Order{ID: tr.OrderID, CustomerID: tr.Customer, DeliveryPartnerID: &tr.Rider, Status: order.Ready},
			Seq:   2,
			Updates: []order.Update{
				{OrderID: tr.OrderID, Seq: 1, Status: order.Pending},
				{OrderID: tr.OrderID, Seq: 2, Status: order.Ready, DeliveryPartnerID: &tr.Rider},
			},
		}
		p.Current[tr.Rider] = &delivery.Assignment{
			OrderID: tr.OrderID, PartnerID: tr.Rider, Status: status,
			Restaurant: order.Place{Latitude: Kitchen.Latitude, Longitude: Kitchen.Longitude},
			Dropoff:    delivery.Dropoff{Latitude: Door.Latitude, Longitude: Door.Longitude},
		}
	})
	return tr
}

// Ended makes the order terminal, as the order service sees it.
func (b *Bed) Ended(tr Trip, status order.Status) {
	b.Advance(tr, status)
	b.Set(func(p *Peers) { delete(p.Current, tr.Rider) })
}

// Advance changes the order's state, as the order service sees it, and gives the seq of the change.
func (b *Bed) Advance(tr Trip, status order.Status) (seq int64) {
	b.Set(func(p *Peers) {
		state := p.Orders[tr.OrderID]
		state.Order.Status = status
		state.Seq++
		seq = state.Seq
		state.Updates = append(state.Updates, order.Update{
			OrderID: tr.OrderID, Seq: seq, Status: status, DeliveryPartnerID: &tr.Rider, Timestamp: wire.At(time.Now()),
		})
		p.Orders[tr.OrderID] = state
	})
	return seq
}

// Quiet waits until no edge listens to the order any more.
func (b *Bed) Quiet(t testing.TB, orderID string) {
	t.Helper()
	channel := tracking.LiveChannel(orderID)
	require.Eventually(t, func() bool {
		return b.Redis.PubSubNumSub(t.Context(), channel).Val()[channel] == 0
	}, 5*time.Second, 10*time.Millisecond)
}

// AsActor speaks as somebody.
func AsActor(ctx context.Context, role, id string) context.Context {
	return micro.WithActor(ctx, micro.Actor{Role: role, ID: id})
}

// AsService speaks as a service.
func AsService(ctx context.Context) context.Context {
	return AsActor(ctx, micro.RoleService, "test")
}

// FixAt is a fix of the Trip's rider for its order.
func FixAt(tr Trip, p tracking.Point, at time.Time) tracking.LocationRequest {
	stamp := wire.At(at)
	return tracking.LocationRequest{
		OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider, Latitude: &p.Latitude, Longitude: &p.Longitude, Timestamp: &stamp,
	}
}

// Send hands a fix in as the rider.
func (b *Bed) Send(req tracking.LocationRequest) (tracking.LocationResponse, error) {
	return b.Client.Location(AsActor(b.t.Context(), auth.RoleRider, req.DeliveryPartnerID), req)
}

// MustSend hands in a fix that is to be accepted.
func (b *Bed) MustSend(req tracking.LocationRequest) {
	b.t.Helper()
	res, err := b.Send(req)
	require.NoError(b.t, err)
	require.True(b.t, res.Accepted, res.Reason)
}

// Watch listens to an order's live channel.
func (b *Bed) Watch(orderID string) <-chan *redis.Message {
	b.t.Helper()
	pubsub := b.Redis.Subscribe(b.t.Context(), tracking.LiveChannel(orderID))
	_, err := pubsub.Receive(b.t.Context())
	require.NoError(b.t, err)
	messages := pubsub.Channel()
	b.t.Cleanup(func() { require.NoError(b.t, pubsub.Close()) })
	return messages
}

// Next takes a message from the live channel.
func Next[T any](t testing.TB, messages <-chan *redis.Message, event string) T {
	t.Helper()
	select {
	case m := <-messages:
		var got struct {
			Event string
			Data  T
		}
		require.NoError(t, json.Unmarshal([]byte(m.Payload), &got))
		require.Equal(t, event, got.Event)
		return got.Data
	case <-time.After(5 * time.Second):
		require.FailNow(t, "nothing came over the live channel")
		panic("unreachable")
	}
}

// None checks that nothing more came over the live channel before a message that is sent now.
func (b *Bed) None(messages <-chan *redis.Message, orderID string) {
	b.t.Helper()
	require.NoError(b.t, b.Redis.Publish(b.t.Context(), tracking.LiveChannel(orderID), `{"event":"end","data":{}}`).Err())
	Next[struct{}](b.t, messages, "end")
}

// Publish puts an event of the order on the stream, as the outbox relay does.
func (b *Bed) Publish(typ, orderID string, payload any, headers map[string]string) {
	b.t.Helper()
	body, err := wire.Encode(payload)
	require.NoError(b.t, err)
	_, err = micro.NewPublisher(b.JS).PublishBatch(b.t.Context(), []micro.Event{{
		ID: uuid.NewString(), Type: typ, Region: "us-west", Key: orderID, Payload: body, Headers: headers, Time: time.Now(),
	}})
	require.NoError(b.t, err)
}
