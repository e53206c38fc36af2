package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// natsCLI builds the stock nats command line and returns a function that runs
// it against the fleet, as an observer or, with ops, as the operator.
func natsCLI(t *testing.T) func(ops bool, args ...string) (string, error) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "nats")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", "../tools/nats", "-buildvcs=false", "-o", binary, "github.com/nats-io/natscli/nats")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return func(ops bool, args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		args = append([]string{"--server", fleet.Env["NATS_URL"]}, args...)
		if ops {
			args = append(args, "--user", "ops", "--password", fleet.Env["NATS_OPS_PASSWORD"], "--inbox-prefix=_INBOX_ops")
		}
		out, err := exec.CommandContext(ctx, binary, args...).CombinedOutput()
		return string(out), err
	}
}

func TestOperatorsWorkWithTheNatsCLI(t *testing.T) {
	t.Parallel()
	nats := natsCLI(t)

	t.Run("an observer sees every service", func(t *testing.T) {
		out, err := nats(false, "micro", "ls")
		require.NoError(t, err, out)
		for _, service := range []string{"auth", "order", "restaurant", "delivery", "tracking", "bridge"} {
			require.Contains(t, out, service)
		}
	})
	t.Run("endpoints describe themselves", func(t *testing.T) {
		out, err := nats(false, "micro", "info", "order", "--json")
		require.NoError(t, err, out)
		require.Contains(t, out, "order.create")
		require.Contains(t, out, "request_schema")
		require.Contains(t, out, "response_schema")
	})
	t.Run("statistics are there", func(t *testing.T) {
		out, err := nats(false, "micro", "stats", "order")
		require.NoError(t, err, out)
		require.Contains(t, out, "order")
	})
	t.Run("an observer may do nothing else", func(t *testing.T) {
		out, _ := nats(false, "req", "order.get", `{"id":"x"}`, "--timeout", "1s")
		require.NotContains(t, out, "customerId")
		require.Contains(t, out, "Permissions Violation")
	})
	t.Run("an operator reads any order", func(t *testing.T) {
		order := placeOrder(t)
		out, err := nats(true, "req", "order.get", `{"id":"`+order+`"}`, "--raw")
		require.NoError(t, err, out)
		var got object
		require.NoError(t, json.Unmarshal([]byte(out), &got), out)
		require.Equal(t, order, got["id"])
	})
}

// placeOrder puts one order in the first city and returns its id.
func placeOrder(t *testing.T) string {
	t.Helper()
	where := place{"Tacoma", "us-west", 47.2529, -122.4443} // nobody else's: the order waits for a rider
	owner, customer := register(t, "restaurant_owner", where.city), register(t, "customer", where.city)
	restaurant, items := openRestaurant(owner, where)
	order := customer.must(http.StatusCreated, "POST", "/orders", object{
		"restaurantId": restaurant, "deliveryAddress": "1 Market St", "city": where.city,
		"latitude": where.lat, "longitude": where.lon, "items": []object{{"menuItemId": items[0], "quantity": 1}},
	})
	return order["id"].(string)
}
