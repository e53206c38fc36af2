package order_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/order"
)

// chart is the table of the contract, written down a second time: who may move an order from which state to which.
var chart = map[order.Status]map[order.Status][]string{
	order.Pending: {
		order.Confirmed: {auth.RoleOwner}, order.Rejected: {auth.RoleOwner},
		order.Cancelled: {auth.RoleCustomer, auth.RoleOwner}, order.Expired: {order.RoleSystem},
	},
	order.Confirmed: {order.Preparing: {auth.RoleOwner}, order.Cancelled: {auth.RoleCustomer, auth.RoleOwner}},
	order.Preparing: {order.Ready: {auth.RoleOwner}, order.Cancelled: {auth.RoleOwner}},
	order.Ready:     {order.PickedUp: {auth.RoleRider}, order.Cancelled: {auth.RoleOwner}},
	order.PickedUp:  {order.Delivered: {auth.RoleRider}, order.Failed: {auth.RoleRider}},
}

var roles = []string{
	auth.RoleCustomer, auth.RoleOwner, auth.RoleRider, auth.RoleAdmin, order.RoleSystem,
	micro.RoleOperator, micro.RoleService, micro.RoleAnonymous, "nonsense",
}

// mayMove reads the chart: administrators and operators stand for every person, but not for the clock.
func mayMove(role string, from, to order.Status) bool {
	who := chart[from][to]
	if role == auth.RoleAdmin || role == micro.RoleOperator {
		return len(who) > 0 && !slices.Contains(who, order.RoleSystem)
	}
	return slices.Contains(who, role)
}

func mayEver(role string, to order.Status) bool {
	return slices.ContainsFunc(order.Statuses(), func(from order.Status) bool { return mayMove(role, from, to) })
}

func TestEveryMoveOfEveryRole(t *testing.T) {
	t.Parallel()
	for _, role := range roles {
		for _, from := range order.Statuses() {
			for _, to := range order.Statuses() {
				changed, err := order.Transition(from, to, role)
				switch {
				case !mayEver(role, to):
					require.ErrorIs(t, err, micro.Forbidden(""), "%s: %s → %s", role, from, to)
				case from == to:
					require.NoError(t, err)
					require.False(t, changed, "the same status again changes nothing")
				case mayMove(role, from, to):
					require.NoError(t, err, "%s: %s → %s", role, from, to)
					require.True(t, changed)
				default:
					require.ErrorIs(t, err, micro.Conflict(""), "%s: %s → %s", role, from, to)
					require.False(t, changed)
				}
			}
		}
	}
}

func TestAConflictNamesTheMovesThatAreOpen(t *testing.T) {
	t.Parallel()
	_, err := order.Transition(order.Confirmed, order.Ready, auth.RoleOwner)
	require.Equal(t, []string{"preparing", "cancelled"}, micro.From(err).Allowed)
	_, err = order.Transition(order.Delivered, order.Ready, auth.RoleAdmin)
	require.Equal(t, []string{}, micro.From(err).Allowed, "a list, also when it is empty")
}

func TestAllowedIsWhatTransitionAllows(t *testing.T) {
	t.Parallel()
	for _, role := range roles {
		for _, from := range order.Statuses() {
			for _, to := range order.Statuses() {
				changed, err := order.Transition(from, to, role)
				require.Equal(t, err == nil && changed, slices.Contains(order.Allowed(from, role), to), "%s: %s → %s", role, from, to)
			}
		}
	}
}

// Whatever anybody asks for, in any order: an order's life is a path through the chart, and its end is its end.
func TestNoSequenceOfRequestsLeavesTheChart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := order.Pending
		for range rapid.IntRange(1, 40).Draw(t, "requests") {
			to := rapid.SampledFrom(order.Statuses()).Draw(t, "to")
			role := rapid.SampledFrom(roles).Draw(t, "role")
			changed, err := order.Transition(at, to, role)
			if !changed {
				continue
			}
			require.NoError(t, err)
			require.False(t, at.Terminal(), "%s is the end", at)
			require.Contains(t, chart[at], to)
			at = to
		}
	})
}

func TestWhatCanBeAskedFor(t *testing.T) {
	t.Parallel()
	for _, s := range []order.Status{order.Pending, order.Expired, "", "Confirmed", "done"} {
		require.False(t, order.Settable(s), "%q", s)
	}
	for _, s := range []order.Status{order.Confirmed, order.Cancelled, order.Delivered, order.Failed} {
		require.True(t, order.Settable(s), "%q", s)
	}
}

func TestTerminalStatesHaveNoWayOut(t *testing.T) {
	t.Parallel()
	for _, s := range order.Statuses() {
		require.Equal(t, len(chart[s]) == 0, s.Terminal(), "%s", s)
		require.Equal(t, !s.Terminal(), slices.Contains(order.Live(), s))
	}
}
