package server_test

import (
	"testing"

	"go.uber.org/goleak"

	"tiffin/services/auth"
	"tiffin/services/tracking"
	"tiffin/services/tracking/trackingtest"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bed adds what only the tests of the service itself need.
type bed struct{ *trackingtest.Bed }

func newBed(t testing.TB, o trackingtest.Options) bed {
	t.Helper()
	return bed{trackingtest.New(t, o)}
}

// carry tells tracking what delivery tells it after an acceptance or a pick-up.
func (b bed) carry(t testing.TB, tr trackingtest.Trip, phase string) {
	t.Helper()
	kitchen, door := trackingtest.Kitchen, trackingtest.Door
	require.NoError(t, b.Client.Carry(trackingtest.AsService(t.Context()), tracking.CarryRequest{
		OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider, Phase: phase, Restaurant: &kitchen, Dropoff: &door,
	}))
}

func (b bed) release(t testing.TB, tr trackingtest.Trip) {
	t.Helper()
	require.NoError(t, b.Client.Release(trackingtest.AsService(t.Context()), tracking.ReleaseRequest{
		OrderID: tr.OrderID, DeliveryPartnerID: tr.Rider,
	}))
}

// view is what the customer is told.
func (b bed) view(t testing.TB, tr trackingtest.Trip) tracking.View {
	t.Helper()
	v, err := b.Client.Get(trackingtest.AsActor(t.Context(), auth.RoleCustomer, tr.Customer), tr.OrderID)
	require.NoError(t, err)
	return v
}
