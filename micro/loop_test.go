package micro_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

func TestRoundsAreMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		one, again := micro.NewLoop(reg, "a"), micro.NewLoop(reg, "a")
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, one.Round(ctx, func() error { <-time.After(3 * time.Second); return nil }))
		require.NoError(t, again.Round(ctx, func() error { return nil }))
		broken := errors.New("broken")
		require.ErrorIs(t, one.Round(ctx, func() error { return broken }), broken)
		cancel()
		require.ErrorIs(t, one.Round(ctx, func() error { return ctx.Err() }), context.Canceled)

		families, err := reg.Gather()
		require.NoError(t, err)
		require.Len(t, families, 1)
		counts := map[string]uint64{}
		for _, m := range families[0].GetMetric() {
			counts[m.GetLabel()[0].GetValue()+" "+m.GetLabel()[1].GetValue()] = m.GetHistogram().GetSampleCount()
			if m.GetLabel()[1].GetValue() == "ok" {
				require.InDelta(t, 3, m.GetHistogram().GetSampleSum(), 0.001)
			}
		}
		require.Equal(t, map[string]uint64{"a ok": 2, "a failed": 1}, counts)
		require.NoError(t, micro.NewLoop(nil, "b").Round(t.Context(), func() error { return nil }))
	})
}
