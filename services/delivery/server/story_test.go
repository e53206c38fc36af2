package server

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	"tiffin/wire"
)

// Three riders are asked: one declines, one does not answer, one takes it. All of it can be read afterwards.
func TestTheStoryOfAnOrderHasEveryOffer(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	declining, silent, taking := f.free(t, 1), f.free(t, 2), f.free(t, 3)
	id := f.place(t)
	f.dispatch(t)
	f.declines(t, declining, id)
	f.lapse(t, id)
	f.accepts(t, taking, id)

	list, err := f.Server.offers(ordertest.Admin(t.Context()), delivery.OffersRequest{OrderID: id})
	require.NoError(t, err)
	require.Len(t, list.Offers, 3)
	for i, want := range []struct {
		partner string
		status  delivery.AssignmentStatus
		ended   bool
	}{{declining, delivery.Declined, true}, {silent, delivery.Expired, true}, {taking, delivery.Accepted, false}} {
		got := list.Offers[i]
		require.Equal(t, want.partner, got.PartnerID)
		require.Equal(t, want.status, got.Status)
		require.Equal(t, want.ended, got.EndedAt != nil)
		require.Equal(t, want.status == delivery.Accepted, got.AcceptedAt != nil)
		require.False(t, got.OfferedAt.IsZero())
		if i > 0 {
			require.Greater(t, got.Seq, list.Offers[i-1].Seq, "oldest first")
		}
	}
	f.moves(t, ordertest.Admin(t.Context()), id, order.Cancelled)
	list, err = f.Server.offers(ordertest.Admin(t.Context()), delivery.OffersRequest{OrderID: id})
	require.NoError(t, err)
	require.Equal(t, delivery.Withdrawn, list.Offers[2].Status)
	require.NotNil(t, list.Offers[2].EndedAt)
}

func TestAnOrderNobodyWasAskedAboutHasNoOffers(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for _, id := range []string{f.place(t), f.NewUser("Boston"), uuid.NewString(), "nonsense"} {
		list, err := f.Server.offers(ordertest.Admin(t.Context()), delivery.OffersRequest{OrderID: id})
		require.NoError(t, err)
		require.Empty(t, list.Offers)
		encoded, err := wire.Encode(list)
		require.NoError(t, err)
		require.JSONEq(t, `{"offers":[]}`, string(encoded))
	}
}

// The three kinds of people may not read how riders answer, nor where they are.
func TestOperationsAreForAdministrators(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for _, role := range []string{auth.RoleCustomer, auth.RoleOwner, auth.RoleRider, ""} {
		ctx := ordertest.As(t.Context(), role, f.NewUser("Boston"))
		_, err := f.Server.offers(ctx, delivery.OffersRequest{OrderID: uuid.NewString()})
		require.ErrorIs(t, err, micro.Forbidden(""), role)
		_, err = f.riders(ctx, delivery.RidersRequest{})
		require.ErrorIs(t, err, micro.Forbidden(""), role)
	}
}
