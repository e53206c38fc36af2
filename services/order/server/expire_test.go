package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
)

// overdue makes the deadline of an order pass.
func (f *fixture) overdue(t *testing.T, id string) {
	t.Helper()
	f.Exec(t, `update orders.orders set accept_by = now() - interval '1 second' where id = $1`, id)
}

func (f *fixture) awaitStatus(t *testing.T, id string, want order.Status) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, err := f.orders.Get(ordertest.Admin(t.Context()), id)
		return err == nil && got.Status == want
	}, soon, often)
}

func TestAnOrderThatNobodyAcceptsExpires(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed)
	start(t, bed) // two instances look for it at once
	_, placed := f.place(t)
	rider := f.bind(t, placed.ID, false)
	f.overdue(t, placed.ID)
	f.awaitStatus(t, placed.ID, order.Expired)
	history, err := f.orders.History(ordertest.Admin(t.Context()), placed.ID)
	require.NoError(t, err)
	require.Len(t, history.History, 2)
	last := history.History[1]
	require.Equal(t, order.RoleSystem, last.ActorRole)
	require.NotEmpty(t, last.Reason)
	require.Equal(t, 1, f.count(t, `select count(*) from delivery.partners where id = $1 and order_id is null`, rider))
	_, err = f.move(f.owner(t.Context()), placed.ID, order.Confirmed)
	require.ErrorIs(t, err, micro.Conflict(""), "a late confirmation changes nothing")
}

func TestOnlyPendingOrdersExpireAndOnlyInTheirTime(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	_, confirmed := f.place(t)
	_, err := f.move(f.owner(t.Context()), confirmed.ID, order.Confirmed)
	require.NoError(t, err)
	f.overdue(t, confirmed.ID)
	_, waiting := f.place(t)
	_, late := f.place(t)
	f.overdue(t, late.ID)
	f.awaitStatus(t, late.ID, order.Expired) // by then the others have been looked at as well
	for id, want := range map[string]order.Status{confirmed.ID: order.Confirmed, waiting.ID: order.Pending} {
		got, err := f.orders.Get(ordertest.Admin(t.Context()), id)
		require.NoError(t, err)
		require.Equal(t, want, got.Status)
	}
}

// An order placed while nobody ran the service expires when somebody does again.
func TestExpirySurvivesTheService(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	var id string
	t.Run("first life", func(t *testing.T) {
		f := start(t, bed)
		_, placed := f.place(t)
		id = placed.ID
	})
	f := &fixture{Bed: bed}
	f.overdue(t, id)
	f = start(t, bed)
	f.awaitStatus(t, id, order.Expired)
}

func TestTheDeadlineIsTheConfiguredTimeAway(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	_, placed := f.place(t)
	var ttl time.Duration
	require.NoError(t, f.DB(t, ordertest.City).Pool().QueryRow(t.Context(),
		`select accept_by - created_at from orders.orders where id = $1`, placed.ID).Scan(&ttl))
	require.InDelta(t, 10*time.Minute, ttl, float64(10*time.Second))
}

func TestKeysAreRemovedWhenTheirTimeIsOver(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed)
	for _, key := range []string{"old", "new"} {
		_, err := f.orders.Create(withKey(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), key), ordertest.Request())
		require.NoError(t, err)
	}
	f.Exec(t, `update orders.keys set created_at = now() - interval '25 hours' where key = 'old'`)
	start(t, bed) // looks at once when it starts
	require.Eventually(t, func() bool { return f.count(t, `select count(*) from orders.keys where key = 'old'`) == 0 }, soon, often)
	require.Equal(t, 1, f.count(t, `select count(*) from orders.keys where key = 'new'`))
}
