package server_test

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
	"go.uber.org/goleak"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/services/tracking/server"
	"tiffin/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bed is a tracking service on real NATS and Redis, between an order and a delivery service whose answers a test sets.
type bed struct {
	t      testing.TB
	nats   *testenv.NATSServer
	redis  *redis.Client
	js     jetstream.JetStream
	client *tracking.Client // as the edge
	peers  *peers

	mu  sync.Mutex
	now time.Time // zero: the real time
}

// peers are the services tracking asks.
type peers struct {
	mu        sync.Mutex
	orders    map[string]order.Updates
	current   map[string]*delivery.Assignment
	asked     int // how often what a rider carries was asked
	refuse    error
	positions []delivery.Position
}

// options change the service under test.
type options struct {
	rate  int
	redis *redis.Client
}

func newBed(t testing.TB, o options) *bed {
	t.Helper()
	b := &bed{t: t, nats: testenv.NATS(t), redis: o.redis, peers: &peers{
		orders: map[string]order.Updates{}, current: map[string]*delivery.Assignment{},
	}}
	if b.redis == nil {
		b.redis = testenv.Redis(t)
	}
	b.js = b.nats.JS()
	_, err := micro.EnsureStream(t.Context(), b.js, 1)
	require.NoError(t, err)
	b.run(b.orderService())
	b.run(b.deliveryService())

	conn := b.nats.Conn("tracking")
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	s, err := server.New(t.Context(), server.Config{
		Conn: conn, JS: js, Redis: b.redis, Client: micro.NewClient(conn, micro.ClientConfig{}),
		Log: slog.New(slog.DiscardHandler), Clock: b.clock, TrackingTTL: time.Hour, RateLimitLocation: o.rate,
	})
	require.NoError(t, err)
	b.run(s)
	b.client = tracking.NewClient(micro.NewClient(b.nats.Conn("edge"), micro.ClientConfig{}))
	return b
}

// runner is a service of any kind.
type runner interface {
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

// run runs a service until the end of the test.
func (b *bed) run(s runner) {
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

func (b *bed) orderService() runner {
	conn := b.nats.Conn("order")
	s := micro.NewService(micro.ServiceConfig{Name: order.ServiceName, Version: order.ServiceVersion, Conn: conn, Log: slog.New(slog.DiscardHandler)})
	micro.Handle(s, order.VerbUpdates, "Stands in for the order service", func(ctx context.Context, req order.UpdatesRequest) (order.Updates, error) {
		b.peers.mu.Lock()
		defer b.peers.mu.Unlock()
		state, ok := b.peers.orders[req.ID]
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

func (b *bed) deliveryService() runner {
	conn := b.nats.Conn("delivery")
	s := micro.NewService(micro.ServiceConfig{Name: delivery.ServiceName, Version: delivery.ServiceVersion, Conn: conn, Log: slog.New(slog.DiscardHandler)})
	micro.Handle(s, delivery.VerbCurrent, "Stands in for the delivery service", func(_ context.Context, req delivery.CurrentRequest) (delivery.CurrentResponse, error) {
		b.peers.mu.Lock()
		defer b.peers.mu.Unlock()
		b.peers.asked++
		return delivery.CurrentResponse{Assignment: b.peers.current[req.PartnerID]}, b.peers.refuse
	})
	micro.Handle(s, delivery.VerbPosition, "Stands in for the delivery service", func(_ context.Context, req delivery.PositionRequest) (delivery.PositionResponse, error) {
		b.peers.mu.Lock()
		defer b.peers.mu.Unlock()
		if b.peers.refuse == nil {
			b.peers.positions = append(b.peers.positions, req.Positions...)
		}
		return delivery.PositionResponse{Known: len(req.Positions)}, b.peers.refuse
	})
	return s
}

// set changes the peers' answers.
func (b *bed) set(change func(p *peers)) {
	b.peers.mu.Lock()
	defer b.peers.mu.Unlock()
	change(b.peers)
}

func (b *bed) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now.IsZero() {
		return time.Now()
	}
	return b.now
}

// at sets the service's clock.
func (b *bed) at(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

// delivery is an order on its way: the usual actors of a test.
type trip struct{ orderID, rider, customer string }

var (
	kitchen = tracking.Point{Latitude: 37.7749, Longitude: -122.4194}
	door    = tracking.Point{Latitude: 37.7849, Longitude: -122.4094}
)

// assigned makes an order that delivery says the rider has, in the given state, without telling tracking.
func (b *bed) assigned(status delivery.AssignmentStatus) trip {
	tr := trip{orderID: uuid.NewString(), rider: uuid.NewString(), customer: uuid.NewString()}
	b.set(func(p *peers) {
		p.orders[tr.orderID] = order.Updates{
			Order: order.Order{ID: tr.orderID, CustomerID: tr.customer, DeliveryPartnerID: &tr.rider, Status: order.Ready},
			Seq:   2,
			Updates: []order.Update{
				{OrderID: tr.orderID, Seq: 1, Status: order.Pending},
				{OrderID: tr.orderID, Seq: 2, Status: order.Ready, DeliveryPartnerID: &tr.rider},
			},
		}
		p.current[tr.rider] = &delivery.Assignment{
			OrderID: tr.orderID, PartnerID: tr.rider, Status: status,
			Restaurant: order.Place{Latitude: kitchen.Latitude, Longitude: kitchen.Longitude},
			Dropoff:    delivery.Dropoff{Latitude: door.Latitude, Longitude: door.Longitude},
		}
	})
	return tr
}

// ended makes the order terminal, as the order service sees it.
func (b *bed) ended(tr trip, status order.Status) {
	b.set(func(p *peers) {
		state := p.orders[tr.orderID]
		state.Order.Status = status
		state.Seq++
		state.Updates = append(state.Updates, order.Update{OrderID: tr.orderID, Seq: state.Seq, Status: status, DeliveryPartnerID: &tr.rider})
		p.orders[tr.orderID] = state
		delete(p.current, tr.rider)
	})
}

func asActor(ctx context.Context, role, id string) context.Context {
	return micro.WithActor(ctx, micro.Actor{Role: role, ID: id})
}

func asService(ctx context.Context) context.Context {
	return asActor(ctx, micro.RoleService, "test")
}

// fixAt is a fix of the trip's rider for its order.
func fixAt(tr trip, p tracking.Point, at time.Time) tracking.LocationRequest {
	stamp := wire.At(at)
	return tracking.LocationRequest{
		OrderID: tr.orderID, DeliveryPartnerID: tr.rider, Latitude: &p.Latitude, Longitude: &p.Longitude, Timestamp: &stamp,
	}
}

// send hands a fix in as the rider.
func (b *bed) send(req tracking.LocationRequest) (tracking.LocationResponse, error) {
	return b.client.Location(asActor(b.t.Context(), auth.RoleRider, req.DeliveryPartnerID), req)
}

// mustSend hands in a fix that is to be accepted.
func (b *bed) mustSend(req tracking.LocationRequest) {
	b.t.Helper()
	res, err := b.send(req)
	require.NoError(b.t, err)
	require.True(b.t, res.Accepted, res.Reason)
}

// watch listens to an order's live channel.
func (b *bed) watch(orderID string) <-chan *redis.Message {
	b.t.Helper()
	pubsub := b.redis.Subscribe(b.t.Context(), tracking.LiveChannel(orderID))
	_, err := pubsub.Receive(b.t.Context())
	require.NoError(b.t, err)
	messages := pubsub.Channel()
	b.t.Cleanup(func() { require.NoError(b.t, pubsub.Close()) })
	return messages
}

// next takes a message from the live channel.
func next[T any](t testing.TB, messages <-chan *redis.Message, event string) T {
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

// none checks that nothing more came over the live channel before a message that is sent now.
func (b *bed) none(messages <-chan *redis.Message, orderID string) {
	b.t.Helper()
	require.NoError(b.t, b.redis.Publish(b.t.Context(), tracking.LiveChannel(orderID), `{"event":"end","data":{}}`).Err())
	next[struct{}](b.t, messages, "end")
}

// publish puts an event of the order on the stream, as the outbox relay does.
func (b *bed) publish(typ, orderID string, payload any, headers map[string]string) {
	b.t.Helper()
	body, err := wire.Encode(payload)
	require.NoError(b.t, err)
	_, err = micro.NewPublisher(b.js).PublishBatch(b.t.Context(), []micro.Event{{
		ID: uuid.NewString(), Type: typ, Region: "us-west", Key: orderID, Payload: body, Headers: headers, Time: time.Now(),
	}})
	require.NoError(b.t, err)
}
