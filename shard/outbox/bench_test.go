package outbox_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/shard/outbox"
)

var payload = map[string]any{
	"eventType": "order.created", "orderId": "0193a6d2-7a11-8695-9b1f-6f1f0c1c2d3e", "customerId": "0193a6d2-7a11-8695-9b1f-6f1f0c1c2d3f",
	"restaurantId": "6741f0c2a5b3c4d5e6f70812", "deliveryCity": "San Francisco", "totalAmount": 45.99, "estimatedDeliveryTime": 30,
	"timestamp": "2026-11-22T14:08:39.000Z",
}

func appendOne(ctx context.Context, tx pgx.Tx, key string) error {
	return outbox.Append(ctx, tx, outbox.Event{Type: "order.created", Region: "us-west", Key: key, Payload: payload})
}

// BenchmarkAppend is one event in an open transaction: what a service pays for
// it besides its own commit.
func BenchmarkAppend(b *testing.B) {
	bench := newBench(b)
	tx, err := bench.db.Pool().Begin(context.Background())
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if err := appendOne(context.Background(), tx, "key"); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, tx.Rollback(context.Background()))
}

// BenchmarkTransaction is whole transactions with one event each, from 16
// clients, beside a relay at work.
func BenchmarkTransaction(b *testing.B) {
	bench := newBench(b)
	bench.relay(nil)
	var n atomic.Int64
	b.SetParallelism(8)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := strconv.FormatInt(n.Add(1), 10)
			if err := bench.db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error { return appendOne(ctx, tx, key) }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkRelay drains a backlog: from rows to acknowledged messages.
func BenchmarkRelay(b *testing.B) {
	const backlog = 20_000
	bench := newBench(b)
	for b.Loop() {
		b.StopTimer()
		_, err := bench.db.Pool().Exec(context.Background(), fmt.Sprintf(`insert into outbox.events (id, type, region, key, payload)
			select gen_random_uuid(), 'order.created', 'mx', i::text, '{"a":1}' from generate_series(1, %d) i`, backlog))
		require.NoError(b, err)
		b.StartTimer()
		stop := bench.relay(nil)
		require.Eventually(b, func() bool { return bench.count("sent_at is null") == 0 }, soon, often)
		b.StopTimer()
		stop()
		b.StartTimer()
	}
	b.ReportMetric(float64(backlog*b.N)/b.Elapsed().Seconds(), "events/s")
}
