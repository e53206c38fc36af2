package eventplane_test

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/chaos/eventplane"
	"tiffin/e2e/product"
	"tiffin/local/rig"
)

// TestNothingIsLostNorMixedUp is a short campaign. One message is taken out of
// the queue at the end, so that the same run shows both: that nothing else is
// missing, and that the campaign would have found it.
func TestNothingIsLostNorMixedUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// Open to the account that PostgreSQL runs under when we are root.
	require.NoError(t, os.Chmod(dir, 0o755))
	tiffin, err := product.Build("../..", dir, false)
	require.NoError(t, err)
	nats, err := rig.BuildNATS(t.Context(), "../..", dir)
	require.NoError(t, err)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)

	report, err := eventplane.Run(t.Context(), eventplane.Config{
		Tiffin: tiffin, NATS: nats, Dir: dir + "/rig", Seed: seed, For: 45 * time.Second, Lose: true,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	t.Logf("%d faults, quiet after %s: %s", report.Faults, report.Quiet, report.Verdict)
	require.Greater(t, report.Committed, 1000)
	require.Greater(t, report.Faults, 5)
	require.NotEmpty(t, report.Lost)
	require.Equal(t, []string{report.Lost}, report.Missing)
	report.Missing = nil
	require.True(t, report.OK(), report.Verdict)
}
