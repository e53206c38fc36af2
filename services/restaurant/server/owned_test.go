package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/restaurant"
)

// What an owner has is listed for the owner and for administrators, over all cities, also when it was just opened.
func TestOwnersListWhatIsTheirs(t *testing.T) {
	t.Parallel()
	s := newCached(t)
	mine, theirs := owner(t), owner(t)
	me := micro.ActorFrom(mine).ID
	mustOpen(theirs, t, s, opening("Of somebody else", "Boston"))
	mustOpen(mine, t, s, opening("One", "Boston"))
	req := restaurant.ListRequest{OwnerUserID: me}
	require.NoError(t, req.Validate())
	read := func(req restaurant.ListRequest) []string {
		data, err := s.list(mine, req)
		return names(decoded(t, data, err))
	}
	require.Equal(t, []string{"One"}, read(req))
	mustOpen(mine, t, s, opening("Two", "Guadalajara"))
	require.Equal(t, []string{"One", "Two"}, read(req), "a new one is there at once")
	req.City = "Guadalajara"
	require.Equal(t, []string{"Two"}, read(req), "the filters narrow each other")

	for _, role := range []string{auth.RoleAdmin, micro.RoleOperator, micro.RoleService} {
		data, err := s.list(by(t, role), restaurant.ListRequest{OwnerUserID: me})
		require.Len(t, decoded(t, data, err).Restaurants, 2, role)
	}
	for _, other := range []string{auth.RoleOwner, auth.RoleCustomer, auth.RoleRider} {
		_, err := s.list(by(t, other), restaurant.ListRequest{OwnerUserID: me})
		require.ErrorIs(t, err, micro.Forbidden(""), other)
	}
	_, err := s.list(t.Context(), restaurant.ListRequest{OwnerUserID: me})
	require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(err), "nobody may after signing in")
}
