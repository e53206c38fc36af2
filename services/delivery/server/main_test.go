package server

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	orderserver "tiffin/services/order/server"
	"tiffin/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon and often are the patience and the pace of waiting for conditions.
const (
	soon  = 20 * time.Second
	often = 10 * time.Millisecond
)

const home = shard.Region("us-west") // of the tests' restaurant

// fixture is a running order service and a delivery service whose loops run only when a test says so: each step then
// happens when the test wants it to, and nothing has to be waited for.
type fixture struct {
	*ordertest.Bed
	*Server
	orders *order.Client
}

func start(t testing.TB, bed *ordertest.Bed, change ...func(*Config)) *fixture {
	t.Helper()
	orders, err := orderserver.New(t.Context(), orderserver.Config{
		Conn: bed.NATS.Conn("order"), Shards: bed.Shards, Client: bed.Client("order"), Poll: 20 * time.Millisecond,
	})
	require.NoError(t, err)
	ordertest.Run(t, orders)
	return &fixture{Bed: bed, Server: newServer(t, bed, change...), orders: order.NewClient(bed.Client("edge"))}
}

// newServer makes a delivery service without running it.
func newServer(t testing.TB, bed *ordertest.Bed, change ...func(*Config)) *Server {
	t.Helper()
	conn := bed.NATS.Conn("delivery")
	js, err := jetstream.New(conn) // with the role's own permissions
	require.NoError(t, err)
	cfg := Config{
		Conn: conn, JS: js, Shards: bed.Shards, Client: bed.Client("delivery"),
		Poll: 20 * time.Millisecond,
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(t.Context(), cfg)
	require.NoError(t, err)
	return s
}

// place places an order.
func (f *fixture) place(t testing.TB) (id string) {
	t.Helper()
	created, err := f.orders.Create(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), ordertest.Request())
	require.NoError(t, err)
	return created.ID
}

// free makes a rider km kilometres from the restaurant who wants to work.
func (f *fixture) free(t testing.TB, km float64) (id string) {
	t.Helper()
	id = f.NewRider(t, km)
	f.setAvailable(t, id, true)
	return id
}

func (f *fixture) setAvailable(t testing.TB, id string, available bool) delivery.Partner {
	t.Helper()
	p, err := f.availability(ordertest.Rider(t.Context(), id), delivery.AvailabilityRequest{ID: id, IsAvailable: &available})
	require.NoError(t, err)
	return p
}

// dispatch does what the loop does when it is woken.
func (f *fixture) dispatch(t testing.TB) {
	t.Helper()
	_, err := f.offerWaiting(t.Context(), home)
	require.NoError(t, err)
}

// lapse lets the time of every open offer of an order pass, and has the loop notice.
func (f *fixture) lapse(t testing.TB, orderID string) {
	t.Helper()
	f.Exec(t, `update delivery.offers set expires_at = now() - interval '1 second' where order_id = $1 and status = 'offered'`, orderID)
	require.NoError(t, f.endOverdue(t.Context(), home))
}

// offered tells whom an order is offered to or carried by, "" for nobody: what everybody sees of it.
func (f *fixture) offered(t testing.TB, orderID string) string {
	t.Helper()
	got, err := f.orders.Get(ordertest.Admin(t.Context()), orderID)
	require.NoError(t, err)
	if got.DeliveryPartnerID == nil {
		return ""
	}
	return *got.DeliveryPartnerID
}

func (f *fixture) accepts(t testing.TB, rider, id string) delivery.Assignment {
	t.Helper()
	a, err := f.accept(ordertest.Rider(t.Context(), rider), delivery.OfferRequest{ID: id})
	require.NoError(t, err)
	return a
}

func (f *fixture) declines(t testing.TB, rider, id string) {
	t.Helper()
	_, err := f.decline(ordertest.Rider(t.Context(), rider), delivery.OfferRequest{ID: id})
	require.NoError(t, err)
}

func (f *fixture) moves(t testing.TB, ctx context.Context, id string, to order.Status) {
	t.Helper()
	_, err := f.orders.Status(ctx, order.StatusRequest{ID: id, Status: to})
	require.NoError(t, err)
}

func (f *fixture) record(t testing.TB, rider string) delivery.Partner {
	t.Helper()
	p, err := f.me(ordertest.Rider(t.Context(), rider), delivery.MeRequest{})
	require.NoError(t, err)
	return p
}

// currently is the rider's live assignment, nil for none.
func (f *fixture) currently(t testing.TB, rider string) *delivery.Assignment {
	t.Helper()
	res, err := f.assignments(ordertest.Rider(t.Context(), rider), delivery.AssignmentsRequest{})
	require.NoError(t, err)
	if len(res.Assignments) == 0 {
		return nil
	}
	require.Len(t, res.Assignments, 1)
	return &res.Assignments[0]
}

func (f *fixture) count(t testing.TB, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, f.DB(t, ordertest.City).Pool().QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

// wipe empties the tables, for the next round on the same bed.
func (f *fixture) wipe(t testing.TB) {
	t.Helper()
	_, err := f.Shards.ByShard("a").Pool().Exec(t.Context(),
		`delete from orders.orders; delete from orders.history; delete from delivery.jobs; delete from delivery.offers;
		delete from delivery.partners; delete from outbox.events`) // in the order of locks: the order service expires orders meanwhile
	require.NoError(t, err)
}
