package order_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/order"
	"tiffin/wire"
)

func TestTotals(t *testing.T) {
	t.Parallel()
	total, err := order.Total([]order.Item{{Quantity: 3, UnitPrice: 1533}, {Quantity: 1, UnitPrice: 1}})
	require.NoError(t, err)
	require.Equal(t, "46.00", total.String())
	_, err = order.Total([]order.Item{{Quantity: 1, UnitPrice: order.MaxTotal}, {Quantity: 1, UnitPrice: 1}})
	require.ErrorAs(t, err, &wire.Invalid{})
}

// The sum is the exact one, or the order is refused: never anything else, whatever menus and quantities say.
func TestATotalIsExactOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) order.Item {
			return order.Item{
				Quantity:  rapid.IntRange(1, order.MaxQuantity).Draw(t, "quantity"),
				UnitPrice: wire.Money(rapid.Int64Range(0, 1<<62).Draw(t, "price") >> rapid.IntRange(0, 62).Draw(t, "small")),
			}
		}), 1, order.MaxLines).Draw(t, "items")
		exact := new(big.Int)
		for _, item := range items {
			exact.Add(exact, new(big.Int).Mul(big.NewInt(int64(item.UnitPrice)), big.NewInt(int64(item.Quantity))))
		}
		total, err := order.Total(items)
		if exact.Cmp(big.NewInt(int64(order.MaxTotal))) > 0 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, exact.Int64(), int64(total))
	})
}

func TestTheEstimateGrowsWithTheDistance(t *testing.T) {
	t.Parallel()
	require.Equal(t, 30, order.Estimate(4))
	rapid.Check(t, func(t *rapid.T) {
		km := rapid.Float64Range(0, 100).Draw(t, "km")
		require.LessOrEqual(t, order.Estimate(km), order.Estimate(km+1))
		require.Positive(t, order.Estimate(km))
	})
}

func TestWhoMayReadAnOrder(t *testing.T) {
	t.Parallel()
	rider := "rider"
	p := order.Parties{CustomerID: "customer", OwnerID: "owner", PartnerID: &rider}
	for _, c := range []struct {
		role, id string
		may      bool
	}{
		{auth.RoleCustomer, "customer", true}, {auth.RoleCustomer, "somebody", false},
		{auth.RoleOwner, "owner", true}, {auth.RoleOwner, "somebody", false},
		{auth.RoleRider, "rider", true}, {auth.RoleRider, "somebody", false},
		{auth.RoleAdmin, "somebody", true}, {micro.RoleOperator, "ops", true}, {micro.RoleService, "tracking", true},
		{micro.RoleAnonymous, "", false}, {"", "customer", false},
		// An id alone opens nothing: it has to come with the role it has in this order.
		{auth.RoleOwner, "customer", false}, {auth.RoleRider, "owner", false}, {auth.RoleCustomer, "rider", false},
	} {
		require.Equal(t, c.may, p.MayRead(micro.Actor{ID: c.id, Role: c.role}), "%s %s", c.role, c.id)
	}
	p.PartnerID = nil
	require.False(t, p.MayRead(micro.Actor{ID: "", Role: auth.RoleRider}), "nobody's order is not every rider's")
}
