package server_test

import (
	"sync"
	"testing"
	"time"

	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/tracking/trackingtest"
)

// BenchmarkLocation is the whole way of a fix from a caller over NATS to Redis and back, with many riders at once.
func BenchmarkLocation(b *testing.B) {
	bed := trackingtest.New(b, trackingtest.Options{})
	trips := make([]trackingtest.Trip, 512)
	for i := range trips {
		trips[i] = bed.Assigned(delivery.PickedUp)
		bed.MustSend(trackingtest.FixAt(trips[i], trackingtest.Kitchen, time.Now().Add(-time.Minute)))
	}
	start, round, total := time.Now().Add(-50*time.Second), 0, 0
	b.ReportAllocs()
	for b.Loop() {
		var all sync.WaitGroup
		for _, tr := range trips {
			all.Go(func() {
				for k := range 8 {
					fix := trackingtest.FixAt(tr, trackingtest.Kitchen, start.Add(time.Duration(round+k)*time.Millisecond))
					ctx := trackingtest.AsActor(b.Context(), auth.RoleRider, tr.Rider)
					if res, err := bed.Client.Location(ctx, fix); err != nil || !res.Accepted {
						b.Error(res, err)
					}
				}
			})
		}
		all.Wait()
		round += 8
		total += 8 * len(trips)
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "fixes/s")
}
