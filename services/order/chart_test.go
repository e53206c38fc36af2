package order_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/auth"
	"tiffin/services/order"
)

// TestTheChartIsDrawnAsItIs: the chart in docs/state-machine.md has every arrow of the rules, with who may make it, and no
// other.
func TestTheChartIsDrawnAsItIs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/state-machine.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## The order\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	drawn := map[[2]string]string{}
	for _, arrow := range regexp.MustCompile(`(?m)^ +(\S+) --> (\w+|\[\*\])(?:: (.+))?$`).FindAllStringSubmatch(section, -1) {
		require.NotContains(t, drawn, [2]string{arrow[1], arrow[2]}, "drawn twice")
		drawn[[2]string{arrow[1], arrow[2]}] = arrow[3]
	}
	const edge = "[*]" // where orders come from and end
	for _, from := range order.Statuses() {
		for _, to := range order.Statuses() {
			who, there := drawn[[2]string{string(from), string(to)}]
			delete(drawn, [2]string{string(from), string(to)})
			legal := false
			for role, word := range map[string]string{
				auth.RoleCustomer: "customer", auth.RoleOwner: "owner", auth.RoleRider: "rider", order.RoleSystem: "ACCEPT_TTL",
			} {
				changed, _ := order.Transition(from, to, role) // why not is no matter here
				require.Equal(t, changed, strings.Contains(who, word), "%s → %s by %s", from, to, role)
				legal = legal || changed
			}
			require.Equal(t, legal, there, "%s → %s", from, to)
		}
		_, ends := drawn[[2]string{string(from), edge}]
		delete(drawn, [2]string{string(from), edge})
		require.Equal(t, from.Terminal(), ends, "%s", from)
	}
	require.Equal(t, map[[2]string]string{{edge, string(order.Pending)}: "customer orders"}, drawn, "and nothing else")
}
