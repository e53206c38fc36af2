package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// What administrators do through the API and operators over NATS is in the log when they have their answer: by whom, to
// what and how, also what was refused.
func TestActsAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	where := place{"Boise", "us-west", 43.6135, -116.2034} // nobody else's: the orders wait for a rider
	v := &victim{t: t, where: where, owner: register(t, "restaurant_owner", where.city), customer: register(t, "customer", where.city)}
	admin := administrator(t, where.city)
	restaurant, items := openRestaurant(v.owner, where)
	v.restaurant, v.item = restaurant, items[0]
	first := v.customer.must(http.StatusCreated, "POST", "/orders", v.cart())["id"].(string)
	second := v.customer.must(http.StatusCreated, "POST", "/orders", v.cart())["id"].(string)

	ops, err := nats.Connect(fleet.Env["NATS_URL"], nats.UserInfo("ops", fleet.Env["NATS_OPS_PASSWORD"]), nats.CustomInboxPrefix("_INBOX_ops"))
	require.NoError(t, err)
	defer ops.Close()
	move := func(order, status string) {
		request, err := json.Marshal(object{"id": order, "status": status})
		require.NoError(t, err)
		_, err = ops.Request("order.status", request, 20*time.Second)
		require.NoError(t, err)
	}
	entry := func(action, target, outcome string) object {
		for _, e := range admin.must(http.StatusOK, "GET", "/admin/audit?limit=100&action="+action, nil)["entries"].([]any) {
			if e := e.(object); e["target"] == target && e["outcome"] == outcome {
				return e
			}
		}
		require.Failf(t, "not in the log", "%s of %s, %s", action, target, outcome)
		return nil
	}

	move(first, "cancelled")
	done := entry("order.status", first, "ok")
	require.Equal(t, []any{"operator", "ops", "cancelled"}, []any{done["actorRole"], done["actorId"], done["detail"]})
	move(first, "confirmed")
	require.Equal(t, "confirmed", entry("order.status", first, "refused")["detail"])
	admin.must(http.StatusOK, "PATCH", "/orders/"+second+"/status", object{"status": "confirmed"})
	require.Equal(t, admin.ID(), entry("order.status", second, "ok")["actorId"])
	admin.must(http.StatusOK, "PATCH", "/restaurants/"+restaurant, object{"isActive": false})
	require.Equal(t, admin.ID(), entry("restaurant.update", restaurant, "ok")["actorId"])
	admin.must(http.StatusNoContent, "DELETE", "/restaurants/"+restaurant+"/menu/"+items[1], nil)
	require.Equal(t, items[1], entry("restaurant.menu-delete", restaurant, "ok")["detail"])
	key := admin.must(http.StatusCreated, "POST", "/admin/api-keys", object{
		"name": "Audit", "userId": v.customer.ID(), "scopes": []string{"orders:read"}})["apiKey"].(object)["id"].(string)
	admin.must(http.StatusNoContent, "DELETE", "/admin/api-keys/"+key, nil)
	require.Equal(t, admin.ID(), entry("key-create", key, "ok")["actorId"])
	require.Equal(t, admin.ID(), entry("key-revoke", key, "ok")["actorId"])
}
