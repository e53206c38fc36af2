package hub_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/hub"
	"tiffin/services/order"
)

// gatedReceiver blocks its first frame once armed, to keep a worker busy.
type gatedReceiver struct {
	armed, waiting atomic.Bool
	gate           chan struct{}
	once           sync.Once
}

func (*gatedReceiver) Form() frame.Form { return frame.JSON }

func (*gatedReceiver) Stays(order.Update) bool { return true }

func (g *gatedReceiver) Send(*frame.Frame, any) {
	if g.armed.Load() {
		g.once.Do(func() { g.waiting.Store(true); <-g.gate })
	}
}

// sink counts frames.
type sink struct {
	form frame.Form
	n    *atomic.Int64
}

func (s sink) Form() frame.Form        { return s.form }
func (s sink) Stays(order.Update) bool { return true }

func (s sink) Send(f *frame.Frame, _ any) { s.n.Add(int64(len(f.Framed(s.form)))) }

// BenchmarkBroadcast is one position to a room of five and of a thousand: what it costs besides the sockets.
func BenchmarkBroadcast(b *testing.B) {
	for _, size := range []int{5, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			h := newBench(b, 1)
			h.commit("o")
			var n atomic.Int64
			for i := range size {
				defer h.join(b, "o", sink{frame.Form(i % 2), &n}, nil).Leave()
			}
			messages := make([]string, 1024)
			second := 0
			b.ReportAllocs()
			for b.Loop() {
				if second%len(messages) == 0 {
					b.StopTimer()
					for i := range messages {
						messages[i] = fmt.Sprintf(`{"event":"location-updated","data":{"timestamp":"2026-11-22T%02d:%02d:%02d.%03dZ","orderId":"0197a9c2-7b1c-8abc-9def-0123456789ab","latitude":37.7749,"longitude":-122.4194}}`,
							second/3_600_000%24, second/60_000%60, second/1000%60, second%1000)
						second++
					}
					second -= len(messages)
					b.StartTimer()
				}
				before := h.Delivered()
				h.Deliver("o", messages[second%len(messages)])
				for h.Delivered() < before+int64(size) {
				}
				second++
			}
			b.ReportMetric(float64(size), "deliveries/op")
		})
	}
}

var _ hub.Receiver = sink{}
