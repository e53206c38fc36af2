package server_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
)

// move asks for a status.
func (f *fixture) move(ctx context.Context, id string, to order.Status) (order.Order, error) {
	return f.orders.Status(ctx, order.StatusRequest{ID: id, Status: to})
}

// bind binds a rider to an order, as dispatch and acceptance do.
func (f *fixture) bind(t *testing.T, orderID string, accepted bool) (rider string) {
	t.Helper()
	rider = f.NewRider(t, 1)
	status := "offered"
	if accepted {
		status = "accepted"
	}
	f.Exec(t, `insert into delivery.offers (order_id, seq, region, partner_id, status, expires_at)
		values ($1, 2, 'us-west', $2, $3, now() + interval '1 hour')`, orderID, rider, status)
	f.Exec(t, `update delivery.partners set available = true, order_id = $1, carrying = $3 where id = $2`, orderID, rider, accepted)
	f.Exec(t, `update orders.orders set partner_id = $2, seq = 2 where id = $1`, orderID, rider)
	f.Exec(t, `insert into orders.history (order_id, seq, region, kind, from_status, to_status, partner_id, actor_id, actor_role, at)
		values ($1, 2, 'us-west', 'assignment', 'pending', 'pending', $2, 'order', 'system', now())`, orderID, rider)
	return rider
}

func (f *fixture) owner(ctx context.Context) context.Context {
	return ordertest.As(ctx, auth.RoleOwner, f.Owner)
}

func TestAnOrderGoesAllTheWay(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	customer, placed := f.place(t)
	rider := f.bind(t, placed.ID, true)
	owner, riding := f.owner(t.Context()), ordertest.Rider(t.Context(), rider)
	for _, step := range []struct {
		ctx context.Context
		to  order.Status
	}{{owner, order.Confirmed}, {owner, order.Preparing}, {owner, order.Ready}, {riding, order.PickedUp}, {riding, order.Delivered}} {
		got, err := f.move(step.ctx, placed.ID, step.to)
		require.NoError(t, err)
		require.Equal(t, step.to, got.Status)
		require.Equal(t, rider, *got.DeliveryPartnerID)
		again, err := f.move(step.ctx, placed.ID, step.to)
		require.NoError(t, err)
		require.Equal(t, got, again, "the same status again changes nothing")
	}
	history, err := f.orders.History(ordertest.Customer(t.Context(), customer), placed.ID)
	require.NoError(t, err)
	var path []order.Status
	for i, h := range history.History {
		path = append(path, h.To)
		if i == 0 {
			require.Nil(t, h.From)
			require.Equal(t, auth.RoleCustomer, h.ActorRole)
			continue
		}
		require.Equal(t, history.History[i-1].To, *h.From)
		require.False(t, h.At.Before(history.History[i-1].At.Time))
	}
	require.Equal(t, []order.Status{"pending", "confirmed", "preparing", "ready", "picked_up", "delivered"}, path)
	require.Equal(t, rider, history.History[5].ActorID)
	require.Equal(t, 1, f.count(t, `select count(*) from delivery.partners where id = $1 and order_id is null and deliveries = 1`, rider))
	require.Equal(t, 0, f.count(t, `select count(*) from delivery.jobs where order_id = $1`, placed.ID))
	require.Equal(t, 5, f.count(t, `select count(*) from outbox.events where key = $1 and type = 'order.status'`, placed.ID))
}

func TestARiderMustHaveAcceptedToPickUp(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	_, placed := f.place(t)
	rider := f.bind(t, placed.ID, false)
	for _, to := range []order.Status{order.Confirmed, order.Preparing, order.Ready} {
		_, err := f.move(f.owner(t.Context()), placed.ID, to)
		require.NoError(t, err)
	}
	riding := ordertest.Rider(t.Context(), rider)
	_, err := f.orders.Get(riding, placed.ID)
	require.NoError(t, err, "an offer is enough to read the order")
	_, err = f.move(riding, placed.ID, order.PickedUp)
	require.ErrorIs(t, err, micro.Conflict(""))
	require.Empty(t, micro.From(err).Allowed)
	_, err = f.move(ordertest.Rider(t.Context(), f.NewRider(t, 1)), placed.ID, order.PickedUp)
	require.ErrorIs(t, err, micro.NotFound(""))
}

func TestRolesAreJudgedFirst(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	customer, placed := f.place(t)
	_, err := f.move(ordertest.Customer(t.Context(), customer), placed.ID, order.Confirmed)
	require.ErrorIs(t, err, micro.Forbidden(""))
	_, err = f.move(f.owner(t.Context()), placed.ID, order.Delivered)
	require.ErrorIs(t, err, micro.Forbidden(""))
	_, err = f.move(f.owner(t.Context()), placed.ID, order.Ready)
	require.ErrorIs(t, err, micro.Conflict(""))
	require.Equal(t, []string{"confirmed", "rejected", "cancelled"}, micro.From(err).Allowed)
	for _, to := range []order.Status{order.Pending, order.Expired, "nonsense"} {
		_, err = f.move(ordertest.Admin(t.Context()), placed.ID, to)
		require.Equal(t, micro.CodeInvalid, micro.CodeOf(err), "%s", to)
	}
}

func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	_, placed := f.place(t)
	for _, stranger := range []context.Context{
		ordertest.Customer(t.Context(), f.NewUser(ordertest.City)),
		ordertest.As(t.Context(), auth.RoleOwner, f.NewUser(ordertest.City)),
		ordertest.Rider(t.Context(), f.NewUser(ordertest.City)),
		ordertest.As(t.Context(), micro.RoleAnonymous, ""),
	} {
		for _, id := range []string{placed.ID, f.NewUser(ordertest.City), "nonsense", ""} {
			_, err := f.orders.Get(stranger, id)
			require.Equal(t, micro.NotFound("order").Error(), err.Error())
			_, err = f.orders.History(stranger, id)
			require.Equal(t, micro.NotFound("order").Error(), err.Error())
			_, err = f.orders.Updates(stranger, id, nil)
			require.Equal(t, micro.NotFound("order").Error(), err.Error())
		}
	}
	_, err := f.move(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), placed.ID, order.Cancelled)
	require.ErrorIs(t, err, micro.NotFound(""))
	_, err = f.move(ordertest.Admin(t.Context()), f.NewUser(ordertest.City), order.Cancelled)
	require.ErrorIs(t, err, micro.NotFound(""))
}

func TestAnEndFreesTheRider(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for name, c := range map[string]struct {
		to       order.Status
		accepted bool
		keeps    bool // the order remembers who carried it
	}{
		"cancelled under an offer":      {order.Cancelled, false, false},
		"cancelled under an acceptance": {order.Cancelled, true, true},
		"rejected under an offer":       {order.Rejected, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, placed := f.place(t)
			rider := f.bind(t, placed.ID, c.accepted)
			got, err := f.orders.Status(f.owner(t.Context()), order.StatusRequest{ID: placed.ID, Status: c.to, Reason: "closed"})
			require.NoError(t, err)
			require.Equal(t, c.keeps, got.DeliveryPartnerID != nil)
			require.Equal(t, 1, f.count(t, `select count(*) from delivery.partners where id = $1 and order_id is null and not carrying and available`, rider))
			require.Equal(t, 1, f.count(t, `select count(*) from delivery.offers where partner_id = $1 and status = 'withdrawn' and ended_at is not null`, rider))
			require.Equal(t, 0, f.count(t, `select count(*) from delivery.jobs where order_id = $1`, placed.ID))
			require.Equal(t, 1, f.count(t, `select count(*) from orders.history where order_id = $1 and reason = 'closed'`, placed.ID))
		})
	}
}

func TestAnAdministratorMovesAnOrderThatNobodyCarries(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	_, placed := f.place(t)
	rider := f.bind(t, placed.ID, false)
	for _, to := range []order.Status{order.Confirmed, order.Preparing, order.Ready, order.PickedUp, order.Delivered} {
		_, err := f.move(ordertest.Admin(t.Context()), placed.ID, to)
		require.NoError(t, err)
	}
	got, err := f.orders.Get(ordertest.Admin(t.Context()), placed.ID)
	require.NoError(t, err)
	require.Nil(t, got.DeliveryPartnerID, "who was merely asked did not carry it")
	require.Equal(t, 1, f.count(t, `select count(*) from delivery.partners where id = $1 and order_id is null and deliveries = 0`, rider))
}

// Everybody does something at once: one first move wins, the log has no gap and nothing moves after the end.
func TestRacingMovesLeaveOneHistory(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for range 10 {
		customer, placed := f.place(t)
		var group sync.WaitGroup
		for range 4 {
			for _, move := range []struct {
				ctx context.Context
				to  order.Status
			}{
				{ordertest.Customer(t.Context(), customer), order.Cancelled}, {f.owner(t.Context()), order.Rejected},
				{f.owner(t.Context()), order.Confirmed}, {f.owner(t.Context()), order.Preparing}, {ordertest.Admin(t.Context()), order.Cancelled},
			} {
				group.Go(func() {
					_, err := f.move(move.ctx, placed.ID, move.to)
					if err != nil && micro.CodeOf(err) != micro.CodeConflict {
						t.Errorf("%s: %v", move.to, err)
					}
				})
			}
		}
		group.Wait()
		history, err := f.orders.History(ordertest.Admin(t.Context()), placed.ID)
		require.NoError(t, err)
		for i, h := range history.History[1:] {
			require.Equal(t, history.History[i].To, *h.From)
			require.False(t, h.From.Terminal())
		}
		require.Equal(t, len(history.History), f.count(t, `select count(*) from outbox.events where key = $1`, placed.ID))
		require.Equal(t, len(history.History), f.count(t, `select seq from orders.orders where id = $1`, placed.ID))
	}
}

// Kitchens move many orders in one transaction while others move them under their locks. Whoever comes second is told
// so or does it again; nobody waits for somebody who waits for them.
func TestMovesThatShareATransactionKeepOutOfOthersWay(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	orders := make([]string, 12)
	customers := make([]string, len(orders))
	for i := range orders {
		customer, placed := f.place(t)
		orders[i], customers[i] = placed.ID, customer
	}
	var group sync.WaitGroup
	for i, id := range orders {
		for range 3 {
			group.Go(func() {
				for _, to := range []order.Status{order.Confirmed, order.Preparing, order.Ready} {
					if _, err := f.move(f.owner(t.Context()), id, to); err != nil && micro.CodeOf(err) != micro.CodeConflict {
						t.Errorf("%s: %v", to, err)
					}
				}
			})
			group.Go(func() {
				_, err := f.move(ordertest.Customer(t.Context(), customers[i]), id, order.Cancelled)
				if err != nil && micro.CodeOf(err) != micro.CodeConflict {
					t.Errorf("cancelling: %v", err)
				}
			})
		}
	}
	group.Wait()
	require.Zero(t, f.count(t, `select deadlocks from pg_stat_database where datname = current_database()`))
	require.Zero(t, f.count(t, `select count(*) from orders.orders o where o.seq <> (select count(*) from orders.history where order_id = o.id)
		or o.seq <> (select count(*) from outbox.events where key = o.id::text)`))
}

func TestUpdatesAreCompleteAndInOrder(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	customer, placed := f.place(t)
	rider := f.bind(t, placed.ID, true)
	for _, to := range []order.Status{order.Confirmed, order.Preparing, order.Ready} {
		_, err := f.move(f.owner(t.Context()), placed.ID, to)
		require.NoError(t, err)
	}
	ctx := ordertest.Customer(t.Context(), customer)
	for since := range int64(7) {
		got, err := f.orders.Updates(ctx, placed.ID, &since)
		require.NoError(t, err)
		require.Equal(t, int64(5), got.Seq)
		require.Equal(t, order.Ready, got.Order.Status)
		require.Equal(t, "Golden Gate Curry", got.Restaurant.Name)
		require.Len(t, got.Updates, int(max(0, 5-since)))
		for i, u := range got.Updates {
			require.Equal(t, since+1+int64(i), u.Seq, "none missing")
			require.Equal(t, placed.ID, u.OrderID)
			require.Equal(t, placed.EstimatedDeliveryTime, u.EstimatedDeliveryTime)
			require.Equal(t, u.Seq >= 2, u.DeliveryPartnerID != nil && *u.DeliveryPartnerID == rider, "an assignment is an update as well")
		}
	}
	only, err := f.orders.Updates(ctx, placed.ID, nil)
	require.NoError(t, err)
	require.Empty(t, only.Updates)
	require.Equal(t, int64(5), only.Seq)
}
