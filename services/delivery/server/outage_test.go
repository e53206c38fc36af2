package server

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
)

// The connection dies when COMMIT was sent: the rider asks again, and is answered as if nothing had happened.
func TestALostAnswerIsFoundByAskingAgain(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed)
	proxy := ordertest.NewCutter(t, bed.Config.Shards[0].URL)
	through := *bed
	through.Shards = bed.Through(t, proxy)
	cut := newServer(t, &through)
	rider := f.free(t, 1)
	cut.pulse(t.Context(), rider) // what a request writes besides is not what is to be lost
	id := f.place(t)
	f.dispatch(t)

	proxy.Arm(ordertest.Commit)
	ctx := ordertest.Rider(t.Context(), rider)
	_, err := cut.accept(ctx, delivery.OfferRequest{ID: id})
	require.Error(t, err)
	require.True(t, proxy.Cut())
	a, err := cut.accept(ctx, delivery.OfferRequest{ID: id})
	require.NoError(t, err)
	require.Equal(t, delivery.Accepted, a.Status)
	require.Equal(t, 1, f.count(t, `select count(*) from outbox.events where type = 'delivery.accepted'`))
	requireSound(t, f)
}

// A dispatcher dies with its answer: the offers are made, and the next one makes no others.
func TestADispatcherThatDiesLeavesNothingHalf(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed)
	proxy := ordertest.NewCutter(t, bed.Config.Shards[0].URL)
	through := *bed
	through.Shards = bed.Through(t, proxy)
	cut := newServer(t, &through)
	for i := range 3 {
		f.free(t, float64(i))
		f.place(t)
	}
	proxy.Arm(ordertest.Commit)
	_, err := cut.offerWaiting(t.Context(), home)
	require.Error(t, err)
	require.True(t, proxy.Cut())
	requireSound(t, f)
	f.dispatch(t)
	require.Equal(t, 3, f.count(t, `select count(*) from delivery.offers`), "three orders, three offers, whoever made them")
	requireSound(t, f)
}

// Everything a service knew is gone with it; the rows are not.
func TestAnotherInstanceGoesOn(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed)
	first, second := f.free(t, 1), f.free(t, 2)
	id, waiting := f.place(t), ""
	f.dispatch(t)
	f.setAvailable(t, second, false)
	waiting = f.place(t)
	f.Exec(t, `update delivery.offers set expires_at = now()`) // while nobody is there to notice
	ordertest.Run(t, newServer(t, bed))
	require.Eventually(t, func() bool { return f.count(t, `select lapses from delivery.partners where id = $1`, first) > 0 }, soon, often)
	require.Eventually(t, func() bool { return f.offered(t, id) == first }, soon, often, "the older one is offered again")
	f.setAvailable(t, second, true)
	require.Eventually(t, func() bool { return f.offered(t, waiting) == second }, soon, often)
	requireSound(t, f)
}

func TestADeadShardCostsItsRidersOnly(t *testing.T) {
	t.Parallel()
	bed := ordertest.NewThree(t)
	f := start(t, bed)
	rider := f.free(t, 1)
	dead := newServer(t, bed.WithDead(t, "c"))
	elsewhere := ordertest.Rider(t.Context(), bed.NewUser("Houston"))
	for range 5 { // the breaker opens on the way
		_, err := dead.me(elsewhere, delivery.MeRequest{})
		require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
		_, err = dead.me(ordertest.Rider(t.Context(), rider), delivery.MeRequest{})
		require.NoError(t, err)
	}
	overview, err := dead.counts(ordertest.Admin(t.Context()), delivery.OverviewRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"c"}, overview.Unavailable)
	require.Equal(t, int64(1), overview.Riders[delivery.RiderFree])
	working, err := dead.riders(ordertest.Admin(t.Context()), delivery.RidersRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"c"}, working.Unavailable)
	require.Equal(t, []string{rider}, idsOf(working.Riders))
	batch := positionOf(rider, 3)
	batch.Positions = append(batch.Positions, positionOf(bed.NewUser("Houston"), 3).Positions...)
	res, err := dead.position(ordertest.As(t.Context(), micro.RoleService, "tracking"), batch)
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
	require.Equal(t, 1, res.Known, "those of the other shards are written all the same")
}

// Everything by way of NATS, as the edge, other services and an operator at a terminal see it.
func TestTheEndpoints(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed, func(c *Config) { c.SilentTTL = time.Hour })
	ordertest.Run(t, f.Server)
	client := delivery.NewClient(bed.Client("edge"))
	rider := f.NewRider(t, 1)
	ctx := ordertest.Rider(t.Context(), rider)

	p, err := client.Availability(ctx, rider, true)
	require.NoError(t, err)
	require.True(t, p.IsAvailable)
	id := f.place(t)
	var offers delivery.AssignmentsResponse
	require.Eventually(t, func() bool {
		offers, err = client.Assignments(ctx, delivery.AssignmentsRequest{})
		return err == nil && len(offers.Assignments) == 1
	}, soon, often)
	require.Equal(t, id, offers.Assignments[0].OrderID)
	_, err = client.Decline(ctx, rider)
	require.NoError(t, err)
	_, err = client.Accept(ctx, id)
	require.ErrorIs(t, err, micro.Conflict(""))
	past, err := client.Assignments(ctx, delivery.AssignmentsRequest{History: true})
	require.NoError(t, err)
	require.Len(t, past.Assignments, 1)
	next := f.place(t)
	require.Eventually(t, func() bool { return f.offered(t, next) == rider }, soon, often)
	_, err = client.Accept(ctx, next)
	require.NoError(t, err)
	p, err = client.Me(ctx)
	require.NoError(t, err)
	require.Equal(t, next, *p.CurrentOrderID)

	asService := delivery.NewClient(bed.Client("tracking"))
	serving := ordertest.As(t.Context(), micro.RoleService, "tracking")
	current, err := asService.Current(serving, rider)
	require.NoError(t, err)
	require.Equal(t, delivery.Accepted, current.Status)
	known, err := asService.Position(serving, positionOf(rider, 2).Positions)
	require.NoError(t, err)
	require.Equal(t, 1, known.Known)
	overview, err := client.Overview(ordertest.Admin(t.Context()))
	require.NoError(t, err)
	require.Equal(t, int64(1), overview.Riders[delivery.RiderCarrying])
	asked, err := client.Offers(ordertest.Admin(t.Context()), id)
	require.NoError(t, err)
	require.Equal(t, delivery.Declined, asked.Offers[0].Status)
	working, err := client.Riders(ordertest.Admin(t.Context()), delivery.RidersRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{rider}, idsOf(working.Riders))

	ops := bed.NATS.Conn("ops")
	answer, err := ops.Request("delivery.current", []byte(`{"partnerId":"`+rider+`"}`), 5*time.Second)
	require.NoError(t, err)
	require.Contains(t, string(answer.Data), next, "an operator needs no actor")
	answer, err = ops.Request("order.get", []byte(`{"id":"`+next+`"}`), 5*time.Second)
	require.NoError(t, err)
	require.Contains(t, string(answer.Data), `"status":"pending"`)
	answer, err = ops.RequestMsg(&nats.Msg{Subject: "order.status", Data: []byte(`{"id":"` + next + `","status":"picked_up"}`)}, 5*time.Second)
	require.NoError(t, err)
	require.Equal(t, "409", answer.Header.Get("Nats-Service-Error-Code"))
	info, err := ops.Request("$SRV.INFO.delivery", nil, 5*time.Second)
	require.NoError(t, err)
	for _, verb := range []string{"assignments", "me", "availability", "accept", "decline", "current", "position", "overview", "offers", "riders", "wake"} {
		require.Contains(t, string(info.Data), "delivery."+verb)
	}
	require.Equal(t, 11, strings.Count(string(info.Data), `"request_schema"`)-strings.Count(string(info.Data), "delivery.health"))
	f.moves(t, ordertest.Admin(t.Context()), next, order.Cancelled)
}
