package main_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
)

// TestAKeyIsReplacedUnderARunningFleet takes the steps of docs/security.md: the
// fleet has the new key behind the old one, as every process has when the first
// one is restarted with it in front, and reads all that is sealed with it.
func TestAKeyIsReplacedUnderARunningFleet(t *testing.T) {
	t.Parallel()
	before, after := newKey(t, "before"), newKey(t, "after")
	f := newFleet(t, "RATE_LIMIT_ORDERS=0", "RATE_LIMIT_GENERAL=0", "DATA_KEYS="+before+","+after)
	f.up(t)
	f.placeOrder(t)
	require.Contains(t, f.stored(t), "\x01before:")

	rotate := func(list string, code int) *program {
		p := start(t, append(f.vars, "DATA_KEYS="+list), "keys", "rotate")
		require.Equal(t, code, p.exit(t), "%s%s", p.out, p.err)
		return p
	}
	require.Contains(t, rotate(after, 1).err.String(), `"before"`, "the old key is taken out last")
	said := rotate(after+","+before, 0).out.String()
	require.Contains(t, said, "auth.users.phone_number")
	require.Contains(t, said, "orders.orders.address")
	require.Contains(t, said, `encrypted with key "after"`)
	text := f.stored(t)
	require.Contains(t, text, "\x01after:")
	require.NotContains(t, text, "\x01before:")
	require.NotContains(t, text, "1 Market St")

	var session struct {
		Token  string
		User   struct{ PhoneNumber string }
		Orders []struct{ DeliveryAddress string }
	}
	code, err := f.call(t.Context(), http.MethodPost, "/auth/login",
		map[string]string{"email": "customer@demo.tiffin", "password": "tiffin-demo"}, &session)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	require.True(t, strings.HasPrefix(session.User.PhoneNumber, "+"), session.User.PhoneNumber)
	code, err = f.callAs(t.Context(), session.Token, http.MethodGet, "/orders", nil, &session)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "1 Market St", session.Orders[0].DeliveryAddress)
}

// newKey is what `tiffin keys new` prints.
func newKey(t *testing.T, id string) string {
	t.Helper()
	p := start(t, nil, "keys", "new", id)
	require.Zero(t, p.exit(t), p.err)
	return strings.TrimSpace(p.out.String())
}

// stored is what the databases of the shards hold.
func (f *fleet) stored(t *testing.T) (all string) {
	t.Helper()
	for _, shard := range []string{"A", "B", "C"} {
		pool, err := pgxpool.New(t.Context(), f.env["POSTGRES_SHARD_"+shard+"_URL"])
		require.NoError(t, err)
		defer pool.Close()
		text, err := testenv.Dump(t.Context(), pool)
		require.NoError(t, err)
		all += text
	}
	return all
}
