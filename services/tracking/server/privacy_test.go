package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/tracking"
)

// carry tells tracking what delivery tells it after an acceptance or a pick-up.
func (b *bed) carry(tr trip, phase string) {
	b.t.Helper()
	require.NoError(b.t, b.client.Carry(asService(b.t.Context()), tracking.CarryRequest{
		OrderID: tr.orderID, DeliveryPartnerID: tr.rider, Phase: phase, Restaurant: &kitchen, Dropoff: &door,
	}))
}

func (b *bed) release(tr trip) {
	b.t.Helper()
	require.NoError(b.t, b.client.Release(asService(b.t.Context()), tracking.ReleaseRequest{
		OrderID: tr.orderID, DeliveryPartnerID: tr.rider,
	}))
}

// view is what the customer is told.
func (b *bed) view(tr trip) tracking.View {
	b.t.Helper()
	v, err := b.client.Get(asActor(b.t.Context(), auth.RoleCustomer, tr.customer), tr.orderID)
	require.NoError(b.t, err)
	return v
}

func TestCustomerSeesRiderFromAcceptanceToHandOver(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Offered)
	messages := b.watch(tr.orderID)
	now := time.Now()

	// Before: the rider moves about, and only dispatch learns of it.
	moving := fixAt(tr, kitchen, now)
	moving.OrderID = ""
	b.mustSend(moving)
	require.Nil(t, b.view(tr).Location)

	// Accepted: the customer sees at once where the rider was last.
	b.carry(tr, tracking.PhaseAccepted)
	require.Equal(t, kitchen.Latitude, next[tracking.Location](t, messages, "location-updated").Latitude)
	v := b.view(tr)
	require.NotNil(t, v.Location)
	require.Equal(t, v.Location.EtaMinutes, v.EtaMinutes)
	require.Equal(t, tr.rider, *v.DeliveryPartnerID)
	require.Equal(t, string(order.Ready), v.Status)
	require.EqualValues(t, 2, v.Seq)

	b.carry(tr, tracking.PhasePickedUp)
	next[tracking.Location](t, messages, "location-updated") // again, with the ETA from here to the door
	b.mustSend(fixAt(tr, north(kitchen, 50), now.Add(time.Second)))
	next[tracking.Location](t, messages, "location-updated")

	// Handed over: nothing is left, nothing comes after, and no late hint brings it back.
	b.release(tr)
	require.Zero(t, b.redis.Exists(t.Context(), tracking.OrderKey(tr.orderID)).Val())
	require.Nil(t, b.view(tr).Location)
	b.carry(tr, tracking.PhasePickedUp)
	_, err := b.send(fixAt(tr, kitchen, now.Add(2*time.Second)))
	require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
	home := fixAt(tr, north(kitchen, 90), now.Add(3*time.Second))
	home.OrderID = ""
	b.mustSend(home)
	require.Nil(t, b.view(tr).Location)
	b.none(messages, tr.orderID)
}

// TestOrderHasTheLastWord: Redis may lag behind. What the order says is over is over.
func TestOrderHasTheLastWord(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	b.mustSend(fixAt(tr, kitchen, time.Now()))
	require.NotNil(t, b.view(tr).Location)
	b.ended(tr, order.Delivered)
	require.Nil(t, b.view(tr).Location)
}

func TestOnlyThoseWhoMayReadTheOrderSeeIt(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr, other := b.assigned(delivery.Accepted), b.assigned(delivery.Accepted)
	_, err := b.client.Get(asActor(t.Context(), auth.RoleCustomer, other.customer), tr.orderID)
	require.Equal(t, micro.CodeNotFound, micro.CodeOf(err))
	_, err = b.client.Get(asActor(t.Context(), auth.RoleCustomer, tr.customer), "no-uuid")
	require.Equal(t, micro.CodeInvalid, micro.CodeOf(err))
}

func TestHintsAreForServices(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Offered)
	rider := asActor(t.Context(), auth.RoleRider, tr.rider)
	err := b.client.Carry(rider, tracking.CarryRequest{OrderID: tr.orderID, DeliveryPartnerID: tr.rider, Phase: tracking.PhaseAccepted})
	require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
	err = b.client.Release(rider, tracking.ReleaseRequest{OrderID: tr.orderID, DeliveryPartnerID: tr.rider})
	require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
}

// TestHintWithoutPlacesAsksDelivery: the hint may be as small as "look again".
func TestHintWithoutPlacesAsksDelivery(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	require.NoError(t, b.client.Carry(asService(t.Context()), tracking.CarryRequest{
		OrderID: tr.orderID, DeliveryPartnerID: tr.rider, Phase: tracking.PhaseAccepted,
	}))
	b.set(func(p *peers) { require.Equal(t, 1, p.asked) })
	b.mustSend(fixAt(tr, kitchen, time.Now()))
	b.set(func(p *peers) { require.Equal(t, 1, p.asked, "what is known is not asked again") })
}

// TestRiderWhoJustAcceptedIsBelieved: the hint was lost and the event is late; the fix itself makes tracking ask.
func TestRiderWhoJustAcceptedIsBelieved(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	start := time.Now()
	b.at(start)
	tr := b.assigned(delivery.Offered)
	moving := fixAt(tr, kitchen, start)
	moving.OrderID = ""
	b.mustSend(moving)

	b.set(func(p *peers) { p.current[tr.rider].Status = delivery.Accepted })
	b.mustSend(fixAt(tr, kitchen, start.Add(time.Second)))

	// A rider who names orders they do not have costs delivery one question a second, not one a fix.
	wrong := fixAt(trip{orderID: tr.customer, rider: tr.rider}, kitchen, start.Add(2*time.Second))
	var before int
	b.set(func(p *peers) { before = p.asked })
	for range 10 {
		_, err := b.send(wrong)
		require.Equal(t, micro.CodeForbidden, micro.CodeOf(err))
	}
	b.set(func(p *peers) { require.LessOrEqual(t, p.asked-before, 1) })
}

// TestIdleAnswerDoesNotUndoAnAcceptance: delivery was asked before the acceptance, and its answer arrives after it.
func TestIdleAnswerDoesNotUndoAnAcceptance(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	b.carry(tr, tracking.PhaseAccepted)
	b.set(func(p *peers) { delete(p.current, tr.rider) })
	require.NoError(t, b.client.Carry(asService(t.Context()), tracking.CarryRequest{
		OrderID: tr.orderID, DeliveryPartnerID: tr.rider, Phase: tracking.PhaseAccepted,
	}))
	b.mustSend(fixAt(tr, kitchen, time.Now()))
}
