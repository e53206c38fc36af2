package server_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/services/tracking/trackingtest"
)

func TestCustomerSeesRiderFromAcceptanceToHandOver(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Offered)
	messages := b.Watch(tr.OrderID)
	now := time.Now()

	// Before: the rider moves about, and only dispatch learns of it.
	moving := trackingtest.FixAt(tr, trackingtest.Kitchen, now)
	moving.OrderID = ""
	b.MustSend(moving)
	require.Nil(t, b.view(t, tr).Location)

	// Accepted: the customer sees at once where the rider was last.
	b.carry(t, tr, tracking.PhaseAccepted)
	require.Equal(t, trackingtest.Kitchen.Latitude, trackingtest.Next[tracking.Location](t, messages, "location-updated").Latitude)
	v := b.view(t, tr)
	require.NotNil(t, v.Location)
	require.Equal(t, v.Location.EtaMinutes, v.EtaMinutes)
	require.Equal(t, tr.Rider, *v.DeliveryPartnerID)
	require.Equal(t, string(order.Ready), v.Status)
	require.EqualValues(t, 2, v.Seq)

	b.carry(t, tr, tracking.PhasePickedUp)
	trackingtest.Next[tracking.Location](t, messages, "location-updated") // again, with the ETA from here to the trackingtest.Door
	b.MustSend(trackingtest.FixAt(tr, north(trackingtest.Kitchen, 50), now.Add(time.Second)))
	trackingtest.Next[tracking.Location](t, messages, "location-updated")

	// Handed over: nothing is left, nothing comes after, and no late hint brings it back.
	b.release(t, tr)
	require.Zero(t, b.Redis.Exists(t.Context(), tracking.OrderKey(tr.OrderID)).Val())
	require.Nil(t, b.view(t, tr).Location)
	b.carry(t, tr, tracking.PhasePickedUp)
	_, err := b.Send(trackingtest.FixAt(tr, trackingtest.Kitchen, now.Add(2*time.Second)))
	require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
	home := trackingtest.FixAt(tr, north(trackingtest.Kitchen, 90), now.Add(3*time.Second))
	home.OrderID = ""
	b.MustSend(home)
	require.Nil(t, b.view(t, tr).Location)
	b.None(messages, tr.OrderID)
}

// TestTheNewestFixStays: the rider's last fix is shown again when the phase changes, and a newer one may arrive in the
// middle of that.
func TestTheNewestFixStays(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	now := time.Now().Truncate(time.Millisecond)
	for range 100 {
		tr := b.Assigned(delivery.Accepted)
		b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, now))
		var hint sync.WaitGroup
		hint.Go(func() { b.carry(t, tr, tracking.PhasePickedUp) })
		b.MustSend(trackingtest.FixAt(tr, north(trackingtest.Kitchen, 5), now.Add(time.Second)))
		hint.Wait()
		require.Equal(t, now.Add(time.Second).UnixMilli(), b.view(t, tr).Location.Timestamp.UnixMilli())
	}
}

// TestOrderHasTheLastWord: Redis may lag behind. What the order says is over is over.
func TestOrderHasTheLastWord(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
	require.NotNil(t, b.view(t, tr).Location)
	b.Ended(tr, order.Delivered)
	require.Nil(t, b.view(t, tr).Location)
}

func TestOnlyThoseWhoMayReadTheOrderSeeIt(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr, other := b.Assigned(delivery.Accepted), b.Assigned(delivery.Accepted)
	_, err := b.Client.Get(trackingtest.AsActor(t.Context(), auth.RoleCustomer, other.Customer), tr.OrderID)
	require.Equal(t, micro.CodeNotFound, micro.CodeOf(err))
	_, err = b.Client.Get(trackingtest.AsActor(t.Context(), auth.RoleCustomer, tr.Customer), "no-uuid")
	require.Equal(t, micro.CodeInvalid, micro.CodeOf(err))
}

func TestHintsAreForServices(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Offered)
	rider := trackingtest.AsActor(t.Context(), auth.RoleRider, tr.Rider)
	err := b.Client.Carry(rider, tracking.CarryRequest{OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider, Phase: tracking.PhaseAccepted})
	require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
	err = b.Client.Release(rider, tracking.ReleaseRequest{OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider})
	require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
}

// TestHintWithoutPlacesAsksDelivery: the hint may be as small as "look again".
func TestHintWithoutPlacesAsksDelivery(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	require.NoError(t, b.Client.Carry(trackingtest.AsService(t.Context()), tracking.CarryRequest{
		OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider, Phase: tracking.PhaseAccepted,
	}))
	b.Set(func(p *trackingtest.Peers) { require.Equal(t, 1, p.Asked) })
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
	b.Set(func(p *trackingtest.Peers) { require.Equal(t, 1, p.Asked, "what is known is not asked again") })
}

// TestRiderWhoJustAcceptedIsBelieved: the hint was lost and the event is late; the fix itself makes tracking ask.
func TestRiderWhoJustAcceptedIsBelieved(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	start := time.Now()
	b.At(start)
	tr := b.Assigned(delivery.Offered)
	moving := trackingtest.FixAt(tr, trackingtest.Kitchen, start)
	moving.OrderID = ""
	b.MustSend(moving)

	b.Set(func(p *trackingtest.Peers) { p.Current[tr.Rider].Status = delivery.Accepted })
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, start.Add(time.Second)))

	// A rider who names orders they do not have costs delivery one question a second, not one a fix.
	wrong := trackingtest.FixAt(trackingtest.Trip{OrderID: tr.Customer, Rider: tr.Rider}, trackingtest.Kitchen, start.Add(2*time.Second))
	var before int
	b.Set(func(p *trackingtest.Peers) { before = p.Asked })
	for range 10 {
		_, err := b.Send(wrong)
		require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
	}
	b.Set(func(p *trackingtest.Peers) { require.LessOrEqual(t, p.Asked-before, 1) })
}

// TestIdleAnswerDoesNotUndoAnAcceptance: delivery was asked before the acceptance, and its answer arrives after it.
func TestIdleAnswerDoesNotUndoAnAcceptance(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	b.carry(t, tr, tracking.PhaseAccepted)
	b.Set(func(p *trackingtest.Peers) { delete(p.Current, tr.Rider) })
	require.NoError(t, b.Client.Carry(trackingtest.AsService(t.Context()), tracking.CarryRequest{
		OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider, Phase: tracking.PhaseAccepted,
	}))
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
}
