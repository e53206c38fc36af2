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
	"tiffin/services/tracking/trackingtest"
	"tiffin/wire"
)

func TestChangesOfOrdersReachTheChannel(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	messages := b.Watch(tr.OrderID)
	b.Publish(order.EventStatus, tr.OrderID, order.StatusEvent{EventType: order.EventStatus, OrderID: tr.OrderID, To: order.Pending, Seq: 1}, nil)
	first := trackingtest.Next[order.Update](t, messages, "order-updated")
	require.Equal(t, order.Update{OrderID: tr.OrderID, Seq: 1, Status: order.Pending}, first)
	// The channel gets what the order service knows by now, not only the event: later ones repeat it, and edges drop
	// what they have seen.
	require.EqualValues(t, 2, trackingtest.Next[order.Update](t, messages, "order-updated").Seq)

	b.Publish(order.EventAssigned, tr.OrderID,
		order.AssignedEvent{EventType: order.EventAssigned, OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider},
		map[string]string{order.HeaderSeq: "2"})
	assigned := trackingtest.Next[order.Update](t, messages, "order-updated")
	require.EqualValues(t, 2, assigned.Seq)
	require.Equal(t, tr.Rider, *assigned.DeliveryPartnerID)
}

// Whoever watches an order has read it, and so knows how it began.
func TestTheBeginningOfAnOrderIsNoNews(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	messages := b.Watch(tr.OrderID)
	b.Publish(order.EventCreated, tr.OrderID,
		order.CreatedEvent{EventType: order.EventCreated, OrderID: tr.OrderID}, map[string]string{order.HeaderSeq: "1"})
	b.Publish(order.EventAssigned, tr.OrderID,
		order.AssignedEvent{EventType: order.EventAssigned, OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider},
		map[string]string{order.HeaderSeq: "2"})
	require.EqualValues(t, 2, trackingtest.Next[order.Update](t, messages, "order-updated").Seq)
}

func TestNobodyWatchingCostsNoQuestion(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	unwatched, watched := b.Assigned(delivery.Accepted), b.Assigned(delivery.Accepted)
	b.Set(func(p *trackingtest.Peers) { delete(p.Orders, unwatched.OrderID) }) // a question would fail, and come back for ever
	messages := b.Watch(watched.OrderID)
	for _, tr := range []trackingtest.Trip{unwatched, watched} {
		b.Publish(order.EventStatus, tr.OrderID, order.StatusEvent{
			EventType: order.EventStatus, OrderID: tr.OrderID, From: order.Preparing, To: order.Ready, Seq: 2,
		}, nil)
	}
	trackingtest.Next[order.Update](t, messages, "order-updated")
}

// status publishes a change of state.
func (b bed) status(t testing.TB, tr trackingtest.Trip, rider *string, from, to order.Status, seq int64) {
	t.Helper()
	b.Publish(order.EventStatus, tr.OrderID, order.StatusEvent{
		EventType: order.EventStatus, OrderID: tr.OrderID, DeliveryPartnerID: rider, From: from, To: to, Seq: seq,
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
			b := newBed(t, trackingtest.Options{})
			tr := b.Assigned(delivery.Offered)
			messages := b.Watch(tr.OrderID)
			moving := trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now())
			moving.OrderID = ""
			b.MustSend(moving)

			b.Set(func(p *trackingtest.Peers) { p.Current[tr.Rider].Status = delivery.Accepted })
			b.Publish(delivery.EventAccepted, tr.OrderID, delivery.AcceptedEvent{
				EventType: delivery.EventAccepted, OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider,
			}, nil)
			trackingtest.Next[tracking.Location](t, messages, "location-updated")

			b.Ended(tr, end.status)
			rider := &tr.Rider
			if !end.rider {
				rider = nil
			}
			b.status(t, tr, rider, order.PickedUp, end.status, 3)
			require.Equal(t, end.status, trackingtest.Next[order.Update](t, messages, "order-updated").Status)
			require.Zero(t, b.Redis.Exists(t.Context(), tracking.OrderKey(tr.OrderID)).Val())
			_, err := b.Send(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now().Add(time.Second)))
			require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
		})
	}
}

// TestLateAcceptanceStaysEnded: events overtake each other, and redelivery brings back old ones.
func TestLateAcceptanceStaysEnded(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted) // delivery still answers what it knew before the end
	messages := b.Watch(tr.OrderID)
	b.status(t, tr, &tr.Rider, order.PickedUp, order.Delivered, 2)
	trackingtest.Next[order.Update](t, messages, "order-updated")
	b.Publish(delivery.EventAccepted, tr.OrderID, delivery.AcceptedEvent{
		EventType: delivery.EventAccepted, OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider,
	}, nil)
	b.status(t, tr, nil, order.Ready, order.Ready, 2) // a change that is handled after it, to know when
	trackingtest.Next[order.Update](t, messages, "order-updated")
	_, err := b.Send(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
	require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
}

func TestPoisonDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	messages := b.Watch(tr.OrderID)
	b.Publish(order.EventStatus, "x", map[string]any{"eventType": order.EventStatus, "orderId": "no-uuid"}, nil)
	b.Publish(order.EventStatus, "x", []int{1}, nil)
	b.status(t, tr, &tr.Rider, order.Preparing, order.Ready, 2)
	trackingtest.Next[order.Update](t, messages, "order-updated")
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
	b := newBed(t, trackingtest.Options{Redis: client})
	tr := b.Assigned(delivery.Accepted)
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))

	own.Kill()
	_, err = b.Send(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
	_, err = b.Client.Get(trackingtest.AsActor(t.Context(), auth.RoleCustomer, tr.Customer), tr.OrderID)
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
	b.Ended(tr, order.Delivered)
	b.status(t, tr, &tr.Rider, order.PickedUp, order.Delivered, 3) // waits in the stream

	own.Start()
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, 10*time.Second, 50*time.Millisecond)
	other := b.Assigned(delivery.Accepted)
	b.MustSend(trackingtest.FixAt(other, trackingtest.Kitchen, time.Now()))
	require.Eventually(t, func() bool {
		return client.Exists(t.Context(), "tracking:released:"+tr.OrderID+":"+tr.Rider).Val() == 1
	}, 20*time.Second, 50*time.Millisecond, "the event that came while Redis was away is handled")
}

// TestDeliveryAwayIsNoLicence: when nobody can say whether the rider carries something, nothing is shown.
func TestDeliveryAwayIsNoLicence(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	b.Set(func(p *trackingtest.Peers) { p.Refuse = micro.E(micro.CodeUnavailable, "away") })
	_, err := b.Send(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
	b.Set(func(p *trackingtest.Peers) { p.Refuse = nil })
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
}

// TestDispatchAwayKeepsTheNewest: positions wait for dispatch, the newest of each rider.
func TestDispatchAwayKeepsTheNewest(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	free := trackingtest.Trip{Rider: uuid.NewString()}
	start := time.Now()
	b.MustSend(trackingtest.FixAt(free, trackingtest.Kitchen, start))
	b.Set(func(p *trackingtest.Peers) { p.Refuse = micro.E(micro.CodeUnavailable, "away") })
	last := trackingtest.FixAt(free, north(trackingtest.Kitchen, 100), start.Add(10*time.Second))
	b.MustSend(last)
	b.Set(func(p *trackingtest.Peers) { p.Refuse, p.Positions = nil, nil })
	var sent []delivery.Position
	require.Eventually(t, func() bool {
		b.Set(func(p *trackingtest.Peers) { sent = p.Positions })
		return len(sent) > 0 && sent[0].Latitude == *last.Latitude
	}, 5*time.Second, 20*time.Millisecond)
	require.True(t, sent[0].At.Equal(wire.At(start.Add(10*time.Second)).Time))
}
