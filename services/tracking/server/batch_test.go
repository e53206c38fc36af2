package server_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/tracking"
	"tiffin/services/tracking/trackingtest"
)

// asSent is a fix with its rider as the sender.
func asSent(req tracking.LocationRequest) tracking.SentFix {
	return tracking.SentFix{ActorID: req.DeliveryPartnerID, ActorRole: auth.RoleRider, Fix: req}
}

// TestBatchIsJudgedFixByFix: in one batch, each fix gets the answer it would have got alone, and one that is refused
// takes no other along.
func TestBatchIsJudgedFixByFix(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{Rate: 2})
	one, two, fast, fresh := b.Assigned(delivery.Accepted), b.Assigned(delivery.Accepted), b.Assigned(delivery.Accepted), b.Assigned(delivery.Accepted)
	start := time.Now()
	for _, tr := range []trackingtest.Trip{one, two, fast} {
		b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, start.Add(-time.Second)))
	}
	messages := b.Watch(two.OrderID)
	fix := func(tr trackingtest.Trip, ms int) tracking.SentFix {
		return asSent(trackingtest.FixAt(tr, trackingtest.Kitchen, start.Add(time.Duration(ms)*time.Millisecond)))
	}
	stolen, nowhere, old := fix(one, 1), fix(one, 2), fix(one, -2000)
	stolen.ActorID = two.Rider
	nowhere.Fix.Latitude = nil
	foreign := fix(one, 3)
	foreign.Fix.OrderID = two.OrderID
	res, err := b.Client.Locations(trackingtest.AsService(t.Context()), tracking.LocationsRequest{Fixes: []tracking.SentFix{
		fix(one, 0), stolen, nowhere, old, fix(two, 0), foreign, fix(fresh, 0), fix(fast, 0), fix(fast, 1), fix(fast, 2),
	}})
	require.NoError(t, err)
	type outcome struct {
		accepted, alone bool
		reason          string
		code            micro.Code
	}
	var got []outcome
	for _, a := range res.Answers {
		got = append(got, outcome{a.Accepted, a.Alone, a.Reason, a.Code})
	}
	require.Equal(t, []outcome{
		{accepted: true}, {code: micro.CodeNotFound}, {code: micro.CodeInvalid},
		{code: micro.CodeLimited}, // the rider's third within a second, before anything else about it
		{accepted: true},
		{code: micro.CodeLimited},
		{alone: true},
		{accepted: true}, {code: micro.CodeLimited}, {code: micro.CodeLimited},
	}, got)
	require.Positive(t, res.Answers[3].RetryAfter)
	require.Equal(t, two.OrderID, trackingtest.Next[tracking.Location](t, messages, "location-updated").OrderID)
}

// TestBatchesAreForServices: nobody else may say who sent a fix.
func TestBatchesAreForServices(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	tr := b.Assigned(delivery.Accepted)
	batch := tracking.LocationsRequest{Fixes: []tracking.SentFix{asSent(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))}}
	for _, role := range []string{auth.RoleRider, auth.RoleCustomer, auth.RoleAdmin, micro.RoleAnonymous} {
		_, err := b.Client.Locations(trackingtest.AsActor(t.Context(), role, tr.Rider), batch)
		require.Equal(t, micro.CodeForbidden, micro.CodeOf(err), role)
	}
	for _, size := range []int{0, tracking.MaxBatch + 1} {
		_, err := b.Client.Locations(trackingtest.AsService(t.Context()), tracking.LocationsRequest{Fixes: make([]tracking.SentFix, size)})
		require.Equal(t, micro.CodeInvalid, micro.CodeOf(err), size)
	}
}

// TestBatcher: many riders at once, of whom Redis knows some and delivery the others; each gets an answer of their own,
// and the order of each rider's fixes is kept.
func TestBatcher(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	batcher := tracking.NewBatcher(b.Client)
	b.Run(ready{batcher})
	const riders, fixes = 200, 10
	start := time.Now()
	var all sync.WaitGroup
	for i := range riders {
		tr := b.Assigned(delivery.Accepted)
		all.Go(func() {
			ctx := trackingtest.AsActor(t.Context(), auth.RoleRider, tr.Rider)
			if i%10 == 0 { // an order this rider does not carry
				stray := trackingtest.FixAt(tr, trackingtest.Kitchen, start)
				stray.OrderID = uuid.NewString()
				if _, err := batcher.Location(ctx, stray); !errors.Is(err, micro.Forbidden("")) {
					t.Errorf("a fix for a foreign order: %v", err)
				}
			}
			for k := range fixes {
				at := start.Add(time.Duration(k) * time.Millisecond)
				res, err := batcher.Location(ctx, trackingtest.FixAt(tr, trackingtest.Kitchen, at))
				if err != nil || !res.Accepted {
					t.Errorf("fix %d: %+v, %v", k, res, err)
				}
			}
		})
	}
	all.Wait()
	require.LessOrEqual(t, b.Asked(), 2*riders, "what is known is not asked again")
}

// TestBatcherWithoutService: everybody is told.
func TestBatcherWithoutService(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{Redis: trackingtest.DeadRedis(t)})
	batcher := tracking.NewBatcher(b.Client)
	b.Run(ready{batcher})
	var all sync.WaitGroup
	for range 50 {
		tr := b.Assigned(delivery.Accepted)
		all.Go(func() {
			ctx := trackingtest.AsActor(t.Context(), auth.RoleRider, tr.Rider)
			_, err := batcher.Location(ctx, trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
			if code := micro.CodeOf(err); code != micro.CodeUnavailable && code != micro.CodeTimeout {
				t.Errorf("without Redis: %v", err)
			}
		})
	}
	all.Wait()
}

// ready lets the bed run what is ready at once.
type ready struct{ *tracking.Batcher }

func (ready) Ready() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}
