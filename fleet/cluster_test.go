package fleet

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/config"
	"tiffin/local/rig"
)

// TestInstancesWaitForACluster has all of a deployment start at once while most
// nodes of NATS are still missing: JetStream has no leader. When it has one,
// all want the same streams at the same moment, and it answers only some.
func TestInstancesWaitForACluster(t *testing.T) {
	t.Parallel()
	c, _ := configure(t)
	dir := t.TempDir()
	r, err := rig.Open(filepath.Join(dir, "rig"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	binary, err := rig.BuildNATS(t.Context(), "..", dir)
	require.NoError(t, err)
	nodes, err := r.NATSCluster(t.Context(), binary, 3)
	require.NoError(t, err)
	for _, node := range nodes[1:] {
		require.NoError(t, node.Kill())
	}
	c.NATSURL, c.StreamReplicas, c.EdgePort, c.TrackingPort = nodes[0].URL, len(nodes), 0, 0
	for _, role := range config.NATSRoles {
		c.NATSPasswords[role] = rig.NATSPassword(role)
	}

	var instances []*running
	for range 2 {
		for _, role := range []string{"order", "delivery"} {
			instances = append(instances, start(t, Config{Config: c, Roles: []string{role}}))
		}
	}
	says := func(what string) func() bool {
		return func() bool {
			for _, i := range instances {
				if !strings.Contains(i.log.String(), what) {
					return false
				}
			}
			return true
		}
	}
	require.Eventually(t, says("waiting for JetStream"), patience, tick)
	for _, node := range nodes[1:] {
		require.NoError(t, node.Start(t.Context()))
	}
	require.Eventually(t, says("role answers"), patience, tick)
	for _, i := range instances {
		i.stop()
		require.NoError(t, <-i.done)
		i.done <- nil
	}
}
