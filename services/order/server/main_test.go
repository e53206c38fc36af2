package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	"tiffin/services/order/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon and often are the patience and the pace of waiting for conditions.
const (
	soon  = 20 * time.Second
	often = 10 * time.Millisecond
)

// fixture is a running order service and a client of it.
type fixture struct {
	*ordertest.Bed
	orders *order.Client
}

// start runs an order service on a bed.
func start(t *testing.T, bed *ordertest.Bed, change ...func(*server.Config)) *fixture {
	t.Helper()
	cfg := server.Config{Conn: bed.NATS.Conn("order"), Shards: bed.Shards, Client: bed.Client("order"), Poll: 20 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	s, err := server.New(t.Context(), cfg)
	require.NoError(t, err)
	ordertest.Run(t, s)
	return &fixture{Bed: bed, orders: order.NewClient(bed.Client("edge"))}
}

// place places an order for a new customer.
func (f *fixture) place(t *testing.T) (customer string, placed order.Order) {
	t.Helper()
	customer = f.NewUser(ordertest.City)
	created, err := f.orders.Create(ordertest.Customer(t.Context(), customer), ordertest.Request())
	require.NoError(t, err)
	return customer, created.Order
}
