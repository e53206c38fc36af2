package backup_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// requireShardBack loses the shard of a story under the running fleet and
// restores it, while the other shards' stories go on.
func (s *site) requireShardBack(env map[string]string, lost *story, others []*story) {
	s.t.Helper()
	address, neighbour := env["POSTGRES_SHARD_A_URL"], env["POSTGRES_SHARD_B_URL"]
	name := database(s.t, address)
	onPostgres(s.t, neighbour, "drop database "+name+" with (force)")
	lost.awaitAnswer(s.t, http.StatusServiceUnavailable)
	for _, story := range others {
		story.awaitAnswer(s.t, http.StatusOK)
	}

	onPostgres(s.t, neighbour, "create database "+name+"_new template template0")
	empty := strings.Replace(address, "/"+name, "/"+name+"_new", 1)
	s.follow("Restoring a shard", vars(env, "POSTGRES_SHARD_A_URL", empty))
	lost.awaitAnswer(s.t, http.StatusServiceUnavailable) // nobody works on half of it
	onPostgres(s.t, neighbour, "alter database "+name+"_new rename to "+name)
	lost.awaitAnswer(s.t, http.StatusOK)
}

// awaitAnswer waits until the customer gets the status for their order.
func (s *story) awaitAnswer(t *testing.T, status int) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := s.customer.Want(t.Context(), status, http.MethodGet, "/orders/"+s.order, nil)
		return err == nil
	}, patience, 100*time.Millisecond, "%s: %d", s.city, status)
}

// database is the name of the one that a URL leads to.
func database(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return strings.TrimPrefix(u.Path, "/")
}

// onPostgres runs a statement on the server, in whose database does not matter.
func onPostgres(t *testing.T, address, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}
