package server

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/services/tracking"
)

// riders is how many riders send in the benchmarks.
const riders = 1000

// carrying makes a store in which every rider carries an order.
func carrying(b *testing.B) (*store, []work, []string) {
	b.Helper()
	s := newStore(testenv.Redis(b), time.Hour, 0)
	jobs, partners := make([]work, riders), make([]string, riders)
	for i := range riders {
		partners[i] = uuid.NewString()
		jobs[i] = workOn(uuid.NewString(), tracking.PhasePickedUp, tracking.Point{}, tracking.Point{Latitude: 0.1})
		_, err := s.setWork(b.Context(), partners[i], jobs[i])
		require.NoError(b, err)
	}
	return s, jobs, partners
}

// nthFix is a ride: each rider moves a little with every round.
func nthFix(n int, jobs []work, partners []string, start time.Time) *fix {
	i, round := n%riders, n/riders
	return &fix{
		partner: partners[i], order: jobs[i].order, at: start.Add(time.Duration(round) * time.Second),
		point: tracking.Point{Latitude: float64(round%100) * 1e-5},
	}
}

// BenchmarkRecord is what one committer does: full batches, one after the other.
func BenchmarkRecord(b *testing.B) {
	s, jobs, partners := carrying(b)
	start := time.Now()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		batch := make([]*fix, maxBatch)
		for i := range batch {
			batch[i] = nthFix(n, jobs, partners, start)
			n++
		}
		outcomes, err := s.record(b.Context(), time.Now(), batch)
		require.NoError(b, err)
		require.Equal(b, published, outcomes[0])
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "fixes/s")
}

// BenchmarkCommitter is the service's own way, with many riders at once.
func BenchmarkCommitter(b *testing.B) {
	s, jobs, partners := carrying(b)
	c := newCommitter(s, time.Now)
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	start := time.Now()
	total, senders := 0, 512
	for b.Loop() {
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				for k := range 8 {
					result, err := c.record(ctx, nthFix(total+k*senders+i, jobs, partners, start))
					if err != nil || result[0] < 0 && result[0] != late && result[0] != duplicate {
						b.Error(result, err)
					}
				}
			})
		}
		all.Wait()
		total += 8 * senders
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "fixes/s")
	stop()
	require.NoError(b, <-done)
}

// BenchmarkRawRedis is the yardstick: SET EX and PUBLISH, pipelined, with nothing judged.
func BenchmarkRawRedis(b *testing.B) {
	client := testenv.Redis(b)
	n := 0
	for b.Loop() {
		_, err := client.Pipelined(b.Context(), func(p redis.Pipeliner) error {
			for range maxBatch {
				id := fmt.Sprintf("0197a9c2-7b1c-8abc-9def-%012d", n%riders)
				value := `{"timestamp":"2026-11-22T14:08:39.000Z","orderId":"` + id + `","deliveryPartnerId":"` + id + `","latitude":0.00001,"longitude":0}`
				p.Set(b.Context(), tracking.OrderKey(id), value, time.Hour)
				p.Publish(b.Context(), tracking.LiveChannel(id), value)
				n++
			}
			return nil
		})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "fixes/s")
}
