package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	"tiffin/wire"
)

// positionOf is a batch of one fix, km kilometres from the restaurant.
func positionOf(rider string, km float64) delivery.PositionRequest {
	at := ordertest.North(km)
	return delivery.PositionRequest{Positions: []delivery.Position{{
		PartnerID: rider, Latitude: at.Latitude, Longitude: at.Longitude, At: wire.At(time.Now()),
	}}}
}

func TestAcceptingAndDelivering(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	rider := f.free(t, 1)
	id := f.place(t)
	f.dispatch(t)
	a := f.accepts(t, rider, id)
	require.Equal(t, delivery.Accepted, a.Status)
	require.NotNil(t, a.AcceptedAt)
	require.Equal(t, a, f.accepts(t, rider, id), "accepting again is the same assignment")
	require.Equal(t, a, f.accepts(t, rider, rider), "also by the rider's own id")
	require.Equal(t, id, *f.record(t, rider).CurrentOrderID)
	require.Equal(t, 1, f.count(t, `select count(*) from outbox.events where type = 'delivery.accepted' and key = $1`, id))

	admin := ordertest.Admin(t.Context())
	for _, to := range []order.Status{order.Confirmed, order.Preparing, order.Ready} {
		f.moves(t, admin, id, to)
	}
	riding := ordertest.Rider(t.Context(), rider)
	f.moves(t, riding, id, order.PickedUp) // visible to the next request at once
	require.Equal(t, delivery.PickedUp, f.currently(t, rider).Status)
	require.Equal(t, delivery.PickedUp, f.accepts(t, rider, id).Status)
	f.moves(t, riding, id, order.Delivered)
	require.Nil(t, f.currently(t, rider))
	p := f.record(t, rider)
	require.Equal(t, 1, p.TotalDeliveries)
	require.Nil(t, p.CurrentOrderID)
	require.True(t, p.IsAvailable)
	_, err := f.accept(riding, delivery.OfferRequest{ID: id})
	require.ErrorIs(t, err, micro.Conflict(""))
	requireSound(t, f)
}

func TestOffersThatAreGoneAndThatNeverWere(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	first, second := f.free(t, 1), f.free(t, 2)
	id := f.place(t)
	f.dispatch(t)
	type answer func(rider, id string) error
	accept := func(rider, id string) error {
		_, err := f.accept(ordertest.Rider(t.Context(), rider), delivery.OfferRequest{ID: id})
		return err
	}
	decline := func(rider, id string) error {
		_, err := f.decline(ordertest.Rider(t.Context(), rider), delivery.OfferRequest{ID: id})
		return err
	}
	for _, give := range []answer{accept, decline} {
		require.ErrorIs(t, give(second, id), micro.NotFound(""), "not yet offered to them")
		require.ErrorIs(t, give(second, second), micro.Conflict(""), "no offer at all")
		require.ErrorIs(t, give(second, first), micro.NotFound(""), "somebody else's id")
		require.ErrorIs(t, give(first, "nonsense"), micro.NotFound(""))
		require.ErrorIs(t, give(first, f.NewUser("Boston")), micro.NotFound(""))
	}
	f.declines(t, first, id)
	for _, give := range []answer{accept, decline} {
		require.ErrorIs(t, give(first, id), micro.Conflict(""), "it was theirs and is gone")
	}
	f.accepts(t, second, id)
	require.ErrorIs(t, decline(second, id), micro.Conflict(""), "who accepted cannot decline")
	for _, role := range []string{auth.RoleCustomer, auth.RoleOwner, auth.RoleAdmin, micro.RoleAnonymous, micro.RoleService} {
		_, err := f.accept(ordertest.As(t.Context(), role, first), delivery.OfferRequest{ID: id})
		require.ErrorIs(t, err, micro.Forbidden(""), role)
	}
}

// The offer's time is over, but nobody has looked yet: the answer comes too late all the same.
func TestALateAnswerIsTooLate(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	rider := f.free(t, 1)
	id := f.place(t)
	f.dispatch(t)
	f.Exec(t, `update delivery.offers set expires_at = now() - interval '1 millisecond'`)
	for range 2 {
		_, err := f.accept(ordertest.Rider(t.Context(), rider), delivery.OfferRequest{ID: id})
		require.ErrorIs(t, err, micro.Conflict(""))
		_, err = f.decline(ordertest.Rider(t.Context(), rider), delivery.OfferRequest{ID: id})
		require.ErrorIs(t, err, micro.Conflict(""))
		require.NoError(t, f.endOverdue(t.Context(), home))
	}
	require.Equal(t, 1, f.count(t, `select lapses from delivery.partners where id = $1`, rider))
}

func TestGoingUnavailable(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	first, second := f.free(t, 1), f.free(t, 2)
	id := f.place(t)
	f.dispatch(t)
	require.False(t, f.setAvailable(t, first, false).IsAvailable)
	require.Equal(t, second, f.offered(t, id), "an open offer is withdrawn and goes on")
	require.False(t, f.setAvailable(t, first, false).IsAvailable, "again changes nothing")
	f.setAvailable(t, second, false)
	require.Empty(t, f.offered(t, id))
	require.Equal(t, 1, f.count(t, `select count(*) from outbox.events where key = $1 and payload->>'reason' = 'offer_withdrawn'`, id))

	f.setAvailable(t, first, true)
	f.dispatch(t)
	require.Equal(t, first, f.offered(t, id), "a withdrawn offer is no refusal")
	f.accepts(t, first, id)
	require.False(t, f.setAvailable(t, first, false).IsAvailable)
	require.Equal(t, id, *f.record(t, first).CurrentOrderID, "an accepted order stays")
	require.Equal(t, first, f.offered(t, id))
	f.moves(t, ordertest.Admin(t.Context()), id, order.Cancelled)
	f.place(t)
	f.dispatch(t)
	require.Nil(t, f.currently(t, first), "who does not want to work is not asked when they become free")
	requireSound(t, f)
}

func TestAvailabilityIsTheRidersOwn(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	rider, other := f.NewRider(t, 1), f.NewRider(t, 1)
	yes := true
	req := delivery.AvailabilityRequest{ID: rider, IsAvailable: &yes}
	_, err := f.availability(ordertest.Rider(t.Context(), other), req)
	require.ErrorIs(t, err, micro.NotFound(""))
	_, err = f.availability(ordertest.Admin(t.Context()), req)
	require.ErrorIs(t, err, micro.Forbidden(""))
	ghost := f.NewUser(ordertest.City)
	for _, want := range []bool{true, false} {
		_, err = f.availability(ordertest.Rider(t.Context(), ghost), delivery.AvailabilityRequest{ID: ghost, IsAvailable: &want})
		require.ErrorIs(t, err, micro.NotFound(""))
	}
	_, err = f.me(ordertest.Rider(t.Context(), ghost), delivery.MeRequest{})
	require.ErrorIs(t, err, micro.NotFound(""))
	_, err = f.me(ordertest.Rider(t.Context(), "nonsense"), delivery.MeRequest{})
	require.ErrorIs(t, err, micro.NotFound(""))
}

func TestPastAssignmentsArePaged(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	rider := f.free(t, 1)
	var ids []string
	for range 7 {
		id := f.place(t)
		f.dispatch(t)
		f.declines(t, rider, id)
		ids = append([]string{id}, ids...)
	}
	f.place(t)
	f.dispatch(t) // the open one is not past
	ctx := ordertest.Rider(t.Context(), rider)
	for _, limit := range []int{1, 3, 7, 20} {
		var seen []string
		req := delivery.AssignmentsRequest{History: true, Limit: limit}
		for {
			page, err := f.assignments(ctx, req)
			require.NoError(t, err)
			for _, a := range page.Assignments {
				require.Equal(t, delivery.Declined, a.Status)
				seen = append(seen, a.OrderID)
			}
			if req.Cursor = page.NextCursor; req.Cursor == "" {
				break
			}
		}
		require.Equal(t, ids, seen)
	}
	_, err := f.assignments(ctx, delivery.AssignmentsRequest{History: true, Cursor: "nonsense"})
	require.Equal(t, micro.CodeInvalid, micro.CodeOf(err))
}

func TestCurrentIsForServices(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	rider := f.free(t, 1)
	service := ordertest.As(t.Context(), micro.RoleService, "tracking")
	none, err := f.current(service, delivery.CurrentRequest{PartnerID: rider})
	require.NoError(t, err)
	require.Nil(t, none.Assignment)
	id := f.place(t)
	f.dispatch(t)
	got, err := f.current(service, delivery.CurrentRequest{PartnerID: rider})
	require.NoError(t, err)
	require.Equal(t, id, got.Assignment.OrderID)
	none, err = f.current(service, delivery.CurrentRequest{PartnerID: "nonsense"})
	require.NoError(t, err)
	require.Nil(t, none.Assignment)
	_, err = f.current(ordertest.Rider(t.Context(), rider), delivery.CurrentRequest{PartnerID: rider})
	require.ErrorIs(t, err, micro.Forbidden(""))
}

func TestPositionsMoveRiders(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	near, far := f.free(t, 1), f.free(t, 5)
	service := ordertest.As(t.Context(), micro.RoleService, "tracking")
	batch := positionOf(far, 0.2)
	batch.Positions = append(batch.Positions, positionOf(near, 9).Positions...)
	batch.Positions = append(batch.Positions, positionOf(f.NewUser("Boston"), 1).Positions...)
	batch.Positions = append(batch.Positions, delivery.Position{PartnerID: "nonsense"})
	res, err := f.position(service, batch)
	require.NoError(t, err)
	require.Equal(t, 2, res.Known)
	id := f.place(t)
	f.dispatch(t)
	require.Equal(t, far, f.offered(t, id))
	require.InDelta(t, ordertest.North(0.2).Latitude, f.record(t, far).Latitude, 1e-9)

	before := f.record(t, near)
	_, err = f.position(service, positionOf(near, 9.001))
	require.NoError(t, err)
	require.Equal(t, before, f.record(t, near), "a metre is not worth a write")
	_, err = f.position(ordertest.Rider(t.Context(), near), positionOf(near, 0))
	require.ErrorIs(t, err, micro.Forbidden(""))
}

// Two hundred riders want one order at once, the one it is offered to on several connections.
func TestOneOrderTwoHundredRiders(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed)
	ordertest.Run(t, f.Server)
	offered := f.free(t, 0.1)
	id := f.place(t)
	require.Eventually(t, func() bool { return f.offered(t, id) == offered }, soon, often)
	client := delivery.NewClient(bed.Client("edge"))
	riders := make([]string, 200)
	for i := range riders {
		riders[i] = f.NewUser(ordertest.City) // an account is enough to try
	}
	for range 8 {
		riders = append(riders, offered)
	}
	var mu sync.Mutex
	outcomes := map[string]int{}
	var group sync.WaitGroup
	for _, rider := range riders {
		group.Go(func() {
			a, err := client.Accept(ordertest.Rider(t.Context(), rider), id)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && a.PartnerID == offered && rider == offered:
				outcomes["accepted"]++
			default:
				outcomes[string(micro.CodeOf(err))+" "+strconv.FormatBool(rider == offered)]++
			}
		})
	}
	group.Wait()
	require.Equal(t, map[string]int{"accepted": 8, "not_found false": 200}, outcomes)
	require.Equal(t, 1, f.count(t, `select count(*) from delivery.offers where status = 'accepted'`))
	require.Equal(t, 1, f.count(t, `select count(*) from outbox.events where type = 'delivery.accepted'`), "one acceptance, whoever asked how often")
	requireSound(t, f)
}

// Whatever a rider asks for is a sign of life, granted or not; what writes the rider's row anyway writes it there.
func TestAnyRequestIsASignOfLife(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	yes := true
	refused := func(err error) error {
		if !errors.Is(err, micro.NotFound("")) {
			return fmt.Errorf("not refused: %w", err)
		}
		return nil
	}
	for name, ask := range map[string]func(ctx context.Context, rider, offered string) error{
		"accepts": func(ctx context.Context, _, offered string) error {
			_, err := f.accept(ctx, delivery.OfferRequest{ID: offered})
			return err
		},
		"declines": func(ctx context.Context, _, offered string) error {
			_, err := f.decline(ctx, delivery.OfferRequest{ID: offered})
			return err
		},
		"starts": func(ctx context.Context, rider, _ string) error {
			_, err := f.availability(ctx, delivery.AvailabilityRequest{ID: rider, IsAvailable: &yes})
			return err
		},
		"starts somebody else": func(ctx context.Context, _, offered string) error {
			_, err := f.availability(ctx, delivery.AvailabilityRequest{ID: offered, IsAvailable: &yes})
			return refused(err)
		},
		"accepts nothing": func(ctx context.Context, _, _ string) error {
			_, err := f.accept(ctx, delivery.OfferRequest{ID: "nothing"})
			return refused(err)
		},
		"looks": func(ctx context.Context, _, _ string) error {
			_, err := f.me(ctx, delivery.MeRequest{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f.wipe(t)
			rider := f.free(t, 1)
			id := f.place(t)
			f.dispatch(t)
			f.Exec(t, `update delivery.partners set seen_at = now() - interval '1 hour', silent = true where id = $1`, rider)
			f.pulses.forget(rider)
			require.NoError(t, ask(ordertest.Rider(t.Context(), rider), rider, id))
			require.Equal(t, 1, f.count(t, `select count(*) from delivery.partners where not silent and seen_at > now() - interval '1 minute'`))
			require.False(t, f.pulses.due(rider), "written, and remembered")
		})
	}
}

func TestTheOverviewCountsRiders(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	f.NewRider(t, 1)
	carrying := f.free(t, 1)
	first := f.place(t)
	f.dispatch(t)
	f.accepts(t, carrying, first)
	f.free(t, 2)
	f.place(t)
	f.dispatch(t)
	f.place(t)
	f.free(t, 16)
	silent := f.free(t, 3)
	f.Exec(t, `update delivery.partners set seen_at = now() - interval '1 hour' where id = $1`, silent)
	got, err := f.counts(ordertest.Admin(t.Context()), delivery.OverviewRequest{})
	require.NoError(t, err)
	require.Equal(t, map[delivery.RiderState]int64{"offline": 1, "silent": 1, "free": 1, "offered": 1, "carrying": 1}, got.Riders)
	require.Equal(t, int64(1), got.Waiting)
	require.Positive(t, got.OldestWait)
	_, err = f.counts(ordertest.Rider(t.Context(), carrying), delivery.OverviewRequest{})
	require.ErrorIs(t, err, micro.Forbidden(""))
}
