package server_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/tracking"
	"tiffin/services/tracking/trackingtest"
	"tiffin/wire"
)

func TestFixReachesKeyAndChannel(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	messages := b.Watch(tr.OrderID)
	at := time.Now().Truncate(time.Millisecond)

	req := trackingtest.FixAt(tr, trackingtest.Kitchen, at)
	heading, speed := 90.0, 7.5
	req.Heading, req.Speed = &heading, &speed
	b.MustSend(req)

	live := trackingtest.Next[tracking.Location](t, messages, "location-updated")
	require.Equal(t, tr.OrderID, live.OrderID)
	require.Equal(t, tr.Rider, live.DeliveryPartnerID)
	position := tracking.Point{Latitude: live.Latitude, Longitude: live.Longitude}
	require.Equal(t, trackingtest.Kitchen, position)
	require.True(t, live.Timestamp.Equal(at))
	require.Equal(t, heading, *live.Heading)
	require.Equal(t, speed, *live.Speed)
	require.NotNil(t, live.EtaMinutes)

	data, err := b.Redis.Get(t.Context(), tracking.OrderKey(tr.OrderID)).Bytes()
	require.NoError(t, err)
	var stored tracking.Location
	require.NoError(t, wire.Decode(data, &stored))
	require.Equal(t, live, stored)
	ttl, err := b.Redis.TTL(t.Context(), tracking.OrderKey(tr.OrderID)).Result()
	require.NoError(t, err)
	require.Equal(t, time.Hour, ttl)
}

func TestFixWithoutOrderCountsForTheOneCarried(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.PickedUp)
	messages := b.Watch(tr.OrderID)
	req := trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now())
	req.OrderID = ""
	b.MustSend(req)
	require.Equal(t, tr.OrderID, trackingtest.Next[tracking.Location](t, messages, "location-updated").OrderID)
}

func TestWhoMayReport(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	offered := b.Assigned(delivery.Offered)
	otherOrder := trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now())
	otherOrder.OrderID = uuid.NewString()
	for _, tt := range []struct {
		name  string
		actor micro.Actor
		req   tracking.LocationRequest
		code  micro.Code
	}{
		{"the rider", micro.Actor{Role: auth.RoleRider, ID: tr.Rider}, trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()), ""},
		{"an operator", micro.Actor{Role: micro.RoleOperator}, trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now().Add(time.Second)), ""},
		{"another rider", micro.Actor{Role: auth.RoleRider, ID: uuid.NewString()}, trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()), micro.CodeNotFound},
		{"the customer", micro.Actor{Role: auth.RoleCustomer, ID: tr.Customer}, trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()), micro.CodeForbidden},
		{"nobody", micro.Actor{Role: micro.RoleAnonymous}, trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()), micro.CodeUnauthenticated},
		{"another order", micro.Actor{Role: auth.RoleRider, ID: tr.Rider}, otherOrder, micro.CodeForbidden},
		{"an offer not accepted", micro.Actor{Role: auth.RoleRider, ID: offered.Rider}, trackingtest.FixAt(offered, trackingtest.Kitchen, time.Now()), micro.CodeForbidden},
		{"no position", micro.Actor{Role: auth.RoleRider, ID: tr.Rider}, tracking.LocationRequest{DeliveryPartnerID: tr.Rider}, micro.CodeInvalid},
	} {
		_, err := b.Client.Location(micro.WithActor(t.Context(), tt.actor), tt.req)
		require.Equal(t, tt.code, micro.CodeOf(err), tt.name)
	}
}

// north gives a point the given metres north.
func north(p tracking.Point, metres float64) tracking.Point {
	p.Latitude += metres / 111_195
	return p
}

func TestHygiene(t *testing.T) {
	t.Parallel()
	start := time.Now().Truncate(time.Millisecond)
	type step struct {
		name   string
		point  tracking.Point
		after  time.Duration // of the fix, from start
		clock  time.Duration // of the service, from start; 0: as after
		wild   float64       // accuracy in metres, 0: none
		reason string
	}
	ride := []step{
		{name: "first", point: trackingtest.Kitchen},
		{name: "moves", point: north(trackingtest.Kitchen, 20), after: 2 * time.Second},
		{name: "again", point: north(trackingtest.Kitchen, 20), after: 2 * time.Second, reason: tracking.ReasonDuplicate},
		{name: "same time, other place", point: trackingtest.Kitchen, after: 2 * time.Second, reason: tracking.ReasonLate},
		{name: "overtaken", point: trackingtest.Kitchen, after: time.Second, clock: 3 * time.Second, reason: tracking.ReasonLate},
		{name: "another city", point: north(trackingtest.Kitchen, 300_000), after: 4 * time.Second, reason: tracking.ReasonImplausible},
		{name: "back again", point: north(trackingtest.Kitchen, 40), after: 5 * time.Second},
		{name: "cell tower", point: north(trackingtest.Kitchen, 60), after: 6 * time.Second, wild: 5000, reason: tracking.ReasonInaccurate},
		{name: "clock ahead", point: north(trackingtest.Kitchen, 60), after: time.Hour, clock: 7 * time.Second, reason: tracking.ReasonFuture},
		{name: "clock a little ahead", point: north(trackingtest.Kitchen, 60), after: 20 * time.Second, clock: 8 * time.Second},
		{name: "very old", point: north(trackingtest.Kitchen, 60), after: 21 * time.Second, clock: time.Hour, reason: tracking.ReasonLate},
		{name: "after a pause, far away", point: north(trackingtest.Kitchen, 100_000), after: 2 * time.Hour},
	}
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	messages := b.Watch(tr.OrderID)
	for _, s := range ride {
		clock := s.clock
		if clock == 0 {
			clock = s.after
		}
		b.At(start.Add(clock))
		req := trackingtest.FixAt(tr, s.point, start.Add(s.after))
		if s.wild > 0 {
			req.Accuracy = &s.wild
		}
		res, err := b.Send(req)
		require.NoError(t, err, s.name)
		require.Equal(t, s.reason, res.Reason, s.name)
		require.Equal(t, s.reason == "", res.Accepted, s.name)
		require.True(t, res.RecordedAt.Equal(start.Add(clock)), s.name)
		if res.Accepted {
			require.True(t, trackingtest.Next[tracking.Location](t, messages, "location-updated").Timestamp.Equal(start.Add(s.after)), s.name)
		}
	}
	b.None(messages, tr.OrderID)
}

// TestWrongFirstFix: the fix everything is compared with may be the wrong one. It must not lock the rider out.
func TestWrongFirstFix(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	start := time.Now().Add(-time.Minute)
	b.MustSend(trackingtest.FixAt(tr, north(trackingtest.Kitchen, 500_000), start))
	for i := 1; i <= tracking.MaxImplausible; i++ {
		res, err := b.Send(trackingtest.FixAt(tr, trackingtest.Kitchen, start.Add(time.Duration(i)*time.Second)))
		require.NoError(t, err)
		require.Equal(t, tracking.ReasonImplausible, res.Reason)
	}
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, start.Add(20*time.Second)))
	b.MustSend(trackingtest.FixAt(tr, north(trackingtest.Kitchen, 10), start.Add(21*time.Second)))
}

func TestRateLimitPerRider(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{Rate: 5})
	one, two := b.Assigned(delivery.Accepted), b.Assigned(delivery.Accepted)
	start := time.Now()
	b.At(start)
	for i := range 5 { // one second's worth may come at once
		b.MustSend(trackingtest.FixAt(one, trackingtest.Kitchen, start.Add(time.Duration(i)*time.Millisecond)))
	}
	// A fix that will be refused anyway counts too.
	_, err := b.Send(trackingtest.FixAt(one, trackingtest.Kitchen, start))
	limited := micro.From(err)
	require.Equal(t, micro.CodeLimited, limited.Code)
	require.Positive(t, limited.RetryAfter)
	b.MustSend(trackingtest.FixAt(two, trackingtest.Kitchen, start))

	b.At(start.Add(201 * time.Millisecond)) // a fifth of a second earns one more
	b.MustSend(trackingtest.FixAt(one, trackingtest.Kitchen, start.Add(10*time.Millisecond)))
	_, err = b.Send(trackingtest.FixAt(one, trackingtest.Kitchen, start.Add(11*time.Millisecond)))
	require.Equal(t, micro.CodeLimited, micro.CodeOf(err))
}

func TestETAFollowsTheRide(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	tr := b.Assigned(delivery.PickedUp)
	messages := b.Watch(tr.OrderID)
	metres := tracking.Distance(trackingtest.Kitchen, trackingtest.Door) * tracking.DetourFactor
	start := time.Now().Add(-4 * time.Minute)
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, start))
	first := *trackingtest.Next[tracking.Location](t, messages, "location-updated").EtaMinutes
	require.InDelta(t, metres/tracking.DefaultSpeed/60, first, 1.01)

	// Twenty fixes at 15 m/s straight to the trackingtest.Door: the average catches up with the rider.
	eta := first
	for i := 1; i <= 20; i++ {
		share := float64(i) * 3 * 15 / tracking.Distance(trackingtest.Kitchen, trackingtest.Door)
		at := tracking.Point{
			Latitude:  trackingtest.Kitchen.Latitude + share*(trackingtest.Door.Latitude-trackingtest.Kitchen.Latitude),
			Longitude: trackingtest.Kitchen.Longitude + share*(trackingtest.Door.Longitude-trackingtest.Kitchen.Longitude),
		}
		b.MustSend(trackingtest.FixAt(tr, at, start.Add(time.Duration(i)*3*time.Second)))
		now := *trackingtest.Next[tracking.Location](t, messages, "location-updated").EtaMinutes
		require.LessOrEqual(t, now, eta)
		eta = now
	}
	require.Equal(t, 1, eta)
}

func TestFixesFeedDispatch(t *testing.T) {
	t.Parallel()
	b := newBed(t, trackingtest.Options{})
	free := trackingtest.Trip{Rider: uuid.NewString()}
	req := trackingtest.FixAt(free, trackingtest.Kitchen, time.Now())
	b.MustSend(req)
	newer := trackingtest.FixAt(free, north(trackingtest.Kitchen, 30), time.Now().Add(time.Second))
	b.MustSend(newer)
	require.Eventually(t, func() bool {
		var sent []delivery.Position
		b.Set(func(p *trackingtest.Peers) { sent = p.Positions })
		n := len(sent)
		return n > 0 && sent[n-1].PartnerID == free.Rider && sent[n-1].Latitude == *newer.Latitude
	}, 5*time.Second, 20*time.Millisecond)
	keys, err := b.Redis.Keys(t.Context(), "tracking:order:*").Result()
	require.NoError(t, err)
	require.Empty(t, keys, "a rider without an order is nobody's to see")
}
