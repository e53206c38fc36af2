package realtime

import "github.com/prometheus/client_golang/prometheus"

// metrics are what an operator watches: how many clients, how much goes out, and who had to be let go.
type metrics struct {
	events *prometheus.CounterVec
	shed   prometheus.Counter
	panics prometheus.Counter
}

func newMetrics(s *Server, registry prometheus.Registerer) *metrics {
	m := &metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tiffin_realtime_events_total", Help: "Events of clients, by name and outcome.",
		}, []string{"event", "code"}),
		shed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tiffin_realtime_shed_total", Help: "Sockets closed because their client did not read."}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tiffin_realtime_panics_total", Help: "Event handlers that panicked. Each is a bug."}),
	}
	for _, event := range []string{eventSubscribe, eventUnsubscribe, eventGetLocation, eventRider, eventAuthenticate} {
		m.events.WithLabelValues(event, "ok") // there from the start: a counter that appears with 1 shows no increase
	}
	if registry == nil {
		return m
	}
	registry.MustRegister(m.events, m.shed, m.panics,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tiffin_realtime_sockets", Help: "Clients connected, over any transport.",
		}, func() float64 { return float64(s.Sockets()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tiffin_realtime_rooms", Help: "Orders somebody watches.",
		}, func() float64 { return float64(s.hub.Rooms()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tiffin_realtime_frames_total", Help: "Frames handed to sockets.",
		}, func() float64 { return float64(s.hub.Delivered()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tiffin_realtime_positions_replaced_total", Help: "Positions a newer one overtook before they were sent.",
		}, func() float64 { return float64(s.hub.Replaced()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tiffin_realtime_live", Help: "1 while the live channel is heard.",
		}, func() float64 {
			if s.live.Up() {
				return 1
			}
			return 0
		}))
	return m
}
