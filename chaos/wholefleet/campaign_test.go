package wholefleet_test

import (
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/chaos/consumer"
	"tiffin/chaos/wholefleet"
	"tiffin/e2e/product"
	"tiffin/local/rig"
	"tiffin/local/testenv/holder"
	"tiffin/services/order"
)

// TestTheWholeFleetUnderFire is two minutes of it. In the end a fault of each
// sort is put into what was really recorded, so that the same run shows both:
// that nothing was wrong, and that it would have been found.
func TestTheWholeFleetUnderFire(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// Open to the account that PostgreSQL runs under when we are root.
	require.NoError(t, os.Chmod(dir, 0o755))
	tiffin, err := product.Build("../..", dir, false)
	require.NoError(t, err)
	nats, err := rig.BuildNATS(t.Context(), "../..", dir)
	require.NoError(t, err)
	require.NoError(t, holder.BuildFerret(t.Context()))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)

	report, err := wholefleet.Run(t.Context(), wholefleet.Config{
		Tiffin: tiffin, NATS: nats, Dir: dir + "/rig", Seed: seed, For: 2 * time.Minute, Rate: 4,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	t.Log(report)
	require.True(t, report.OK(), "just chaos fleet --seed %d --for 2m", seed)
	require.Greater(t, report.Orders, 200)
	for _, name := range []string{"auth", "restaurant", "order", "delivery", "tracking", "bridge", "edge", "nats"} {
		require.GreaterOrEqual(t, report.Faults["kill "+name], 2, "every instance of %s", name)
	}
	require.Greater(t, len(report.Faults), 15)
	require.Positive(t, report.Added, "an instance that was added took work")

	for name, put := range map[string]func(e *wholefleet.Evidence){
		"a lost order": func(e *wholefleet.Evidence) {
			answered := slices.IndexFunc(e.Clients.Placed, func(p wholefleet.Placed) bool { return len(p.IDs) > 0 })
			id := e.Clients.Placed[answered].IDs[0]
			e.Orders = slices.DeleteFunc(slices.Clone(e.Orders), func(o wholefleet.Order) bool { return o.ID == id })
		},
		"a missing event": func(e *wholefleet.Evidence) {
			id := e.Queue[0].ID // with its copies, if it has any
			e.Queue = slices.DeleteFunc(slices.Clone(e.Queue), func(m consumer.Message) bool { return m.ID == id })
		},
		"a doubled rider": func(e *wholefleet.Evidence) {
			again := e.Clients.Acceptances[0]
			again.Rider = "another"
			e.Clients.Acceptances = append(slices.Clone(e.Clients.Acceptances), again)
		},
		"an illegal transition": func(e *wholefleet.Evidence) {
			e.Log = slices.Clone(e.Log)
			e.Log[0].To = order.Delivered
		},
	} {
		e := report.Records
		put(&e)
		require.False(t, wholefleet.Check(e).OK(), name)
	}
}
