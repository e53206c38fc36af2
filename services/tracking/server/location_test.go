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
	"tiffin/wire"
)

func TestFixReachesKeyAndChannel(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	messages := b.watch(tr.orderID)
	at := time.Now().Truncate(time.Millisecond)

	req := fixAt(tr, kitchen, at)
	heading, speed := 90.0, 7.5
	req.Heading, req.Speed = &heading, &speed
	b.mustSend(req)

	live := next[tracking.Location](t, messages, "location-updated")
	require.Equal(t, tr.orderID, live.OrderID)
	require.Equal(t, tr.rider, live.DeliveryPartnerID)
	require.Equal(t, kitchen, tracking.Point{Latitude: live.Latitude, Longitude: live.Longitude})
	require.True(t, live.Timestamp.Equal(at))
	require.Equal(t, heading, *live.Heading)
	require.Equal(t, speed, *live.Speed)
	require.NotNil(t, live.EtaMinutes)

	data, err := b.redis.Get(t.Context(), tracking.OrderKey(tr.orderID)).Bytes()
	require.NoError(t, err)
	var stored tracking.Location
	require.NoError(t, wire.Decode(data, &stored))
	require.Equal(t, live, stored)
	ttl, err := b.redis.TTL(t.Context(), tracking.OrderKey(tr.orderID)).Result()
	require.NoError(t, err)
	require.Equal(t, time.Hour, ttl)
}

func TestFixWithoutOrderCountsForTheOneCarried(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.PickedUp)
	messages := b.watch(tr.orderID)
	req := fixAt(tr, kitchen, time.Now())
	req.OrderID = ""
	b.mustSend(req)
	require.Equal(t, tr.orderID, next[tracking.Location](t, messages, "location-updated").OrderID)
}

func TestWhoMayReport(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	offered := b.assigned(delivery.Offered)
	otherOrder := fixAt(tr, kitchen, time.Now())
	otherOrder.OrderID = uuid.NewString()
	for _, tt := range []struct {
		name  string
		actor micro.Actor
		req   tracking.LocationRequest
		code  micro.Code
	}{
		{"the rider", micro.Actor{Role: auth.RoleRider, ID: tr.rider}, fixAt(tr, kitchen, time.Now()), ""},
		{"an operator", micro.Actor{Role: micro.RoleOperator}, fixAt(tr, kitchen, time.Now().Add(time.Second)), ""},
		{"another rider", micro.Actor{Role: auth.RoleRider, ID: uuid.NewString()}, fixAt(tr, kitchen, time.Now()), micro.CodeNotFound},
		{"the customer", micro.Actor{Role: auth.RoleCustomer, ID: tr.customer}, fixAt(tr, kitchen, time.Now()), micro.CodeForbidden},
		{"nobody", micro.Actor{Role: micro.RoleAnonymous}, fixAt(tr, kitchen, time.Now()), micro.CodeUnauthenticated},
		{"another order", micro.Actor{Role: auth.RoleRider, ID: tr.rider}, otherOrder, micro.CodeForbidden},
		{"an offer not accepted", micro.Actor{Role: auth.RoleRider, ID: offered.rider}, fixAt(offered, kitchen, time.Now()), micro.CodeForbidden},
		{"no position", micro.Actor{Role: auth.RoleRider, ID: tr.rider}, tracking.LocationRequest{DeliveryPartnerID: tr.rider}, micro.CodeInvalid},
	} {
		_, err := b.client.Location(micro.WithActor(t.Context(), tt.actor), tt.req)
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
		{name: "first", point: kitchen},
		{name: "moves", point: north(kitchen, 20), after: 2 * time.Second},
		{name: "again", point: north(kitchen, 20), after: 2 * time.Second, reason: tracking.ReasonDuplicate},
		{name: "same time, other place", point: kitchen, after: 2 * time.Second, reason: tracking.ReasonLate},
		{name: "overtaken", point: kitchen, after: time.Second, clock: 3 * time.Second, reason: tracking.ReasonLate},
		{name: "another city", point: north(kitchen, 300_000), after: 4 * time.Second, reason: tracking.ReasonImplausible},
		{name: "back again", point: north(kitchen, 40), after: 5 * time.Second},
		{name: "cell tower", point: north(kitchen, 60), after: 6 * time.Second, wild: 5000, reason: tracking.ReasonInaccurate},
		{name: "clock ahead", point: north(kitchen, 60), after: time.Hour, clock: 7 * time.Second, reason: tracking.ReasonFuture},
		{name: "clock a little ahead", point: north(kitchen, 60), after: 20 * time.Second, clock: 8 * time.Second},
		{name: "very old", point: north(kitchen, 60), after: 21 * time.Second, clock: time.Hour, reason: tracking.ReasonLate},
		{name: "after a pause, far away", point: north(kitchen, 100_000), after: 2 * time.Hour},
	}
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	messages := b.watch(tr.orderID)
	for _, s := range ride {
		clock := s.clock
		if clock == 0 {
			clock = s.after
		}
		b.at(start.Add(clock))
		req := fixAt(tr, s.point, start.Add(s.after))
		if s.wild > 0 {
			req.Accuracy = &s.wild
		}
		res, err := b.send(req)
		require.NoError(t, err, s.name)
		require.Equal(t, s.reason, res.Reason, s.name)
		require.Equal(t, s.reason == "", res.Accepted, s.name)
		require.True(t, res.RecordedAt.Equal(start.Add(clock)), s.name)
		if res.Accepted {
			require.True(t, next[tracking.Location](t, messages, "location-updated").Timestamp.Equal(start.Add(s.after)), s.name)
		}
	}
	b.none(messages, tr.orderID)
}

// TestWrongFirstFix: the fix everything is compared with may be the wrong one. It must not lock the rider out.
func TestWrongFirstFix(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.Accepted)
	start := time.Now().Add(-time.Minute)
	b.mustSend(fixAt(tr, north(kitchen, 500_000), start))
	for i := 1; i <= tracking.MaxImplausible; i++ {
		res, err := b.send(fixAt(tr, kitchen, start.Add(time.Duration(i)*time.Second)))
		require.NoError(t, err)
		require.Equal(t, tracking.ReasonImplausible, res.Reason)
	}
	b.mustSend(fixAt(tr, kitchen, start.Add(20*time.Second)))
	b.mustSend(fixAt(tr, north(kitchen, 10), start.Add(21*time.Second)))
}

func TestRateLimitPerRider(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{rate: 5})
	one, two := b.assigned(delivery.Accepted), b.assigned(delivery.Accepted)
	start := time.Now()
	b.at(start)
	for i := range 5 { // one second's worth may come at once
		b.mustSend(fixAt(one, kitchen, start.Add(time.Duration(i)*time.Millisecond)))
	}
	// A fix that will be refused anyway counts too.
	_, err := b.send(fixAt(one, kitchen, start))
	limited := micro.From(err)
	require.Equal(t, micro.CodeLimited, limited.Code)
	require.Positive(t, limited.RetryAfter)
	b.mustSend(fixAt(two, kitchen, start))

	b.at(start.Add(201 * time.Millisecond)) // a fifth of a second earns one more
	b.mustSend(fixAt(one, kitchen, start.Add(10*time.Millisecond)))
	_, err = b.send(fixAt(one, kitchen, start.Add(11*time.Millisecond)))
	require.Equal(t, micro.CodeLimited, micro.CodeOf(err))
}

func TestETAFollowsTheRide(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	tr := b.assigned(delivery.PickedUp)
	messages := b.watch(tr.orderID)
	metres := tracking.Distance(kitchen, door) * tracking.DetourFactor
	start := time.Now().Add(-4 * time.Minute)
	b.mustSend(fixAt(tr, kitchen, start))
	first := *next[tracking.Location](t, messages, "location-updated").EtaMinutes
	require.InDelta(t, metres/tracking.DefaultSpeed/60, first, 1.01)

	// Twenty fixes at 15 m/s straight to the door: the average catches up with the rider.
	eta := first
	for i := 1; i <= 20; i++ {
		share := float64(i) * 3 * 15 / tracking.Distance(kitchen, door)
		at := tracking.Point{
			Latitude:  kitchen.Latitude + share*(door.Latitude-kitchen.Latitude),
			Longitude: kitchen.Longitude + share*(door.Longitude-kitchen.Longitude),
		}
		b.mustSend(fixAt(tr, at, start.Add(time.Duration(i)*3*time.Second)))
		now := *next[tracking.Location](t, messages, "location-updated").EtaMinutes
		require.LessOrEqual(t, now, eta)
		eta = now
	}
	require.Equal(t, 1, eta)
}

func TestFixesFeedDispatch(t *testing.T) {
	t.Parallel()
	b := newBed(t, options{})
	free := trip{rider: uuid.NewString()}
	req := fixAt(free, kitchen, time.Now())
	b.mustSend(req)
	newer := fixAt(free, north(kitchen, 30), time.Now().Add(time.Second))
	b.mustSend(newer)
	require.Eventually(t, func() bool {
		b.peers.mu.Lock()
		defer b.peers.mu.Unlock()
		n := len(b.peers.positions)
		return n > 0 && b.peers.positions[n-1].PartnerID == free.rider && b.peers.positions[n-1].Latitude == *newer.Latitude
	}, 5*time.Second, 20*time.Millisecond)
	keys, err := b.redis.Keys(t.Context(), "tracking:order:*").Result()
	require.NoError(t, err)
	require.Empty(t, keys, "a rider without an order is nobody's to see")
}
