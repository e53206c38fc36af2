package server_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/wire"
)

func TestChangesOfOrdersReachTheChannel(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	messages := b.watch(tr.orderID)
	b.publish(order.EventCreated, tr.orderID,
		order.CreatedEvent{EventType: order.EventCreated, OrderID: tr.orderID}, map[string]string{order.HeaderSeq: "1"})
	first := next[order.Update](t, messages, "order-updated")
	require.Equal(t, order.Update{OrderID: tr.orderID, Seq: 1, Status: order.Pending}, first)
	// The channel gets what the order service knows by now, not only the event: later ones repeat it, and edges drop
	// what they have seen.
	require.EqualValues(t, 2, next[order.Update](t, messages, "order-updated").Seq)

	b.publish(order.EventAssigned, tr.orderID,
		order.AssignedEvent{EventType: order.EventAssigned, OrderID: tr.orderID, DeliveryPartnerID: tr.rider},
		map[string]string{order.HeaderSeq: "2"})
	assigned := next[order.Update](t, messages, "order-updated")
	require.EqualValues(t, 2, assigned.Seq)
	require.Equal(t, tr.rider, *assigned.DeliveryPartnerID)
}

func TestNobodyWatchingCostsNoQuestion(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	unwatched, watched := b.assigned(delivery.Accepted), b.assigned(delivery.Accepted)
	b.set(func(p *peers) { delete(p.orders, unwatched.orderID) }) // a question would fail, and come back for ever
	messages := b.watch(watched.orderID)
	for _, tr := range []trip{unwatched, watched} {
		b.publish(order.EventStatus, tr.orderID, order.StatusEvent{
			EventType: order.EventStatus, OrderID: tr.orderID, From: order.Preparing, To: order.Ready, Seq: 2,
		}, nil)
	}
	next[order.Update](t, messages, "order-updated")
}

// status publishes a change of state.
func (b *bed) status(tr trip, rider *string, from, to order.Status, seq int64) {
	b.t.Helper()
	b.publish(order.EventStatus, tr.orderID, order.StatusEvent{
		EventType: order.EventStatus, OrderID: tr.orderID, DeliveryPartnerID: rider, From: from, To: to, Seq: seq,
	}, nil)
}

// TestEventsDoWhatLostHintsWouldHave: every hint is lost here.
func TestEventsDoWhatLostHintsWouldHave(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		status order.Status
		rider  bool // the event names the rider
	}{{order.Delivered, true}, {order.Failed, true}, {order.Cancelled, true}, {order.Cancelled, false}} {
		t.Run(string(end.status)+"/"+strconv.FormatBool(end.rider), func(t *testing.T) {
			t.Parallel()
			b := newBed(t, options{})
			tr := b.assigned(delivery.Offered)
			messages := b.watch(tr.orderID)
			moving := fixAt(tr, kitchen, time.Now())
			moving.OrderID = ""
			b.mustSend(moving)

			b.set(func(p *peers) { p.current[tr.rider].Status = delivery.Accepted })
			b.publish(delivery.EventAccepted, tr.orderID, delivery.AcceptedEvent{
				EventType: delivery.EventAccepted, OrderID: tr.orderID, DeliveryPartnerID: tr.rider,
			}, nil)
			next[tracking.Location](t, messages, "location-updated")

			b.ended(tr, end.status)
			rider := &tr.rider
			if !end.rider {
				rider = nil
			}
			b.status(tr, rider, order.PickedUp, end.status, 3)
			require.Equal(t, end.status, next[order.Update](t, messages, "order-updated").Status)
			require.Zero(t, b.redis.Exists(t.Context(), tracking.OrderKey(tr.orderID)).Val())
			_, err := b.send(fixAt(tr, kitchen, time.Now().Add(time.Second)))
			require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
		})
	}
}

// TestLateAcceptanceStaysEnded: events overtake each other, and redelivery brings back old ones.
func TestLateAcceptanceStaysEnded(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted) // delivery still answers what it knew before the end
	messages := b.watch(tr.orderID)
	b.status(tr, &tr.rider, order.PickedUp, order.Delivered, 2)
	next[order.Update](t, messages, "order-updated")
	b.publish(delivery.EventAccepted, tr.orderID, delivery.AcceptedEvent{
		EventType: delivery.EventAccepted, OrderID: tr.orderID, DeliveryPartnerID: tr.rider,
	}, nil)
	b.status(tr, nil, order.Ready, order.Ready, 2) // a change that is handled after it, to know when
	next[order.Update](t, messages, "order-updated")
	_, err := b.send(fixAt(tr, kitchen, time.Now()))
	require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
}

func TestPoisonDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	messages := b.watch(tr.orderID)
	b.publish(order.EventStatus, "x", map[string]any{"eventType": order.EventStatus, "orderId": "no-uuid"}, nil)
	b.publish(order.EventStatus, "x", []int{1}, nil)
	b.status(tr, &tr.rider, order.Preparing, order.Ready, 2)
	next[order.Update](t, messages, "order-updated")
}

// TestRedisAway: orders do not notice, tracking says 503, and afterwards everything is asked anew, because Redis came
// back empty.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	own := testenv.OwnRedis(t)
	opts, err := redis.ParseURL(own.URL)
	require.NoError(t, err)
	opts.ContextTimeoutEnabled = true
	opts.DialTimeout, opts.ReadTimeout, opts.MaxRetries = time.Second, time.Second, -1
	client := redis.NewClient(opts)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	b := newBed(t, options{redis: client})
	tr := b.assigned(delivery.Accepted)
	b.mustSend(fixAt(tr, kitchen, time.Now()))

	own.Kill()
	_, err = b.send(fixAt(tr, kitchen, time.Now()))
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
	_, err = b.client.Get(asActor(t.Context(), auth.RoleCustomer, tr.customer), tr.orderID)
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
	b.ended(tr, order.Delivered)
	b.status(tr, &tr.rider, order.PickedUp, order.Delivered, 3) // waits in the stream

	own.Start()
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, 10*time.Second, 50*time.Millisecond)
	other := b.assigned(delivery.Accepted)
	b.mustSend(fixAt(other, kitchen, time.Now()))
	require.Eventually(t, func() bool {
		return client.Exists(t.Context(), "tracking:released:"+tr.orderID+":"+tr.rider).Val() == 1
	}, 20*time.Second, 50*time.Millisecond, "the event that came while Redis was away is handled")
}

// TestDeliveryAwayIsNoLicence: when nobody can say whether the rider carries something, nothing is shown.
func TestDeliveryAwayIsNoLicence(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	b.set(func(p *peers) { p.refuse = micro.E(micro.CodeUnavailable, "away") })
	_, err := b.send(fixAt(tr, kitchen, time.Now()))
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
	b.set(func(p *peers) { p.refuse = nil })
	b.mustSend(fixAt(tr, kitchen, time.Now()))
}

// TestDispatchAwayKeepsTheNewest: positions wait for dispatch, the newest of each rider.
func TestDispatchAwayKeepsTheNewest(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	free := trip{rider: uuid.NewString()}
	start := time.Now()
	b.mustSend(fixAt(free, kitchen, start))
	b.set(func(p *peers) { p.refuse = micro.E(micro.CodeUnavailable, "away") })
	last := fixAt(free, north(kitchen, 100), start.Add(10*time.Second))
	b.mustSend(last)
	b.set(func(p *peers) { p.refuse, p.positions = nil, nil })
	require.Eventually(t, func() bool {
		b.peers.mu.Lock()
		defer b.peers.mu.Unlock()
		return len(b.peers.positions) > 0 && b.peers.positions[0].Latitude == *last.Latitude
	}, 5*time.Second, 20*time.Millisecond)
	require.True(t, b.peers.positions[0].At.Equal(wire.At(start.Add(10*time.Second)).Time))
}
