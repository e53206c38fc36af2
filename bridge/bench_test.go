package bridge_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"tiffin/bridge"
)

// benchEvents is what one drain moves: enough to pass the broker's warm-up.
const benchEvents = 100_000

// quorum makes the durable quorum queue that a drain fills, and gives a function that waits until it holds n messages.
func (w *world) quorum(name string) (await func(n int)) {
	w.t.Helper()
	channel := w.bind(name)
	return func(n int) {
		require.Eventually(w.t, func() bool {
			q, err := channel.QueueDeclarePassive(name, true, false, false, false, nil)
			return err == nil && q.Messages == n
		}, 2*time.Minute, 5*time.Millisecond)
	}
}

// cpu gives the processor time of this process so far.
func cpu(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkDrain moves 100 000 preloaded events of 400 bytes through the bridge to a quorum queue. The processor time
// includes the embedded NATS server.
func BenchmarkDrain(b *testing.B) {
	for _, window := range []int{1000, 4096, 8192} {
		b.Run(fmt.Sprint(window), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				w := newWorld(b)
				w.start()()
				w.awaitExchange()
				await := w.quorum("bench")
				for start := 0; start < benchEvents; start += 1000 {
					batch := orders(667)[:1000]
					for i := range batch {
						batch[i].Key = fmt.Sprint(start, "-", batch[i].Key)
						batch[i].Payload = []byte(strings.ReplaceAll(string(batch[i].Payload), `"orderId":"`, `"orderId":"`+fmt.Sprint(start)+`-`))
						batch[i].Payload = []byte(strings.Replace(string(batch[i].Payload), "San Francisco", "San Francisco"+strings.Repeat(" ", 150), 1))
					}
					w.publish(batch...)
				}
				w.events = nil
				runtime.GC()
				before := cpu(b)
				b.StartTimer()
				started := time.Now()
				stop := w.start(func(c *bridge.Config) { c.Window = window; c.Log = nil })
				await(benchEvents)
				b.StopTimer()
				b.ReportMetric(benchEvents/time.Since(started).Seconds(), "events/s")
				b.ReportMetric((cpu(b) - before).Seconds(), "cpu-s")
				stop()
			}
		})
	}
}

// BenchmarkCeiling is amqp091-go alone: the same messages from memory, with as many confirms in flight.
func BenchmarkCeiling(b *testing.B) {
	for _, window := range []int{1000, 4096, 8192} {
		b.Run(fmt.Sprint(window), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				w := newWorld(b)
				w.start()()
				w.awaitExchange()
				await := w.quorum("bench")
				conn, err := amqp.Dial(w.rabbit)
				require.NoError(b, err)
				channel, err := conn.Channel()
				require.NoError(b, err)
				require.NoError(b, channel.Confirm(false))
				body := []byte(strings.Repeat("x", 400))
				slots := make(chan *amqp.DeferredConfirmation, window)
				before := cpu(b)
				b.StartTimer()
				started := time.Now()
				var confirmed sync.WaitGroup
				confirmed.Go(func() {
					for c := range slots {
						require.True(b, c.Wait())
					}
				})
				for range benchEvents {
					c, err := channel.PublishWithDeferredConfirm("orders", "order.created", true, false, amqp.Publishing{
						ContentType: "application/json", DeliveryMode: amqp.Persistent, MessageId: uuid.NewString(),
						Type: "order.created", Timestamp: started, AppId: "tiffin", Body: body,
					})
					require.NoError(b, err)
					slots <- c
				}
				close(slots)
				confirmed.Wait()
				await(benchEvents)
				b.StopTimer()
				b.ReportMetric(benchEvents/time.Since(started).Seconds(), "events/s")
				b.ReportMetric((cpu(b) - before).Seconds(), "cpu-s")
				require.NoError(b, conn.Close())
			}
		})
	}
}
