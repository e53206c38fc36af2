package outbox

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one shard's outbox. Alert on the age, not only on the count: one
// event that cannot be sent is one too many.
type metrics struct {
	unsent prometheus.Gauge
	oldest prometheus.Gauge
	sent   prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer, shard string) *metrics {
	labels := prometheus.Labels{"shard": shard}
	m := &metrics{
		unsent: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tiffin_outbox_unsent",
			Help: "Events committed and not yet taken by JetStream, as the relay at work sees it.", ConstLabels: labels}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tiffin_outbox_oldest_seconds",
			Help: "Age of the oldest event not yet taken by JetStream.", ConstLabels: labels}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{Name: "tiffin_outbox_sent_total",
			Help: "Events taken by JetStream.", ConstLabels: labels}),
	}
	if registerer != nil {
		m.unsent = register(registerer, m.unsent)
		m.oldest = register(registerer, m.oldest)
		m.sent = register(registerer, m.sent)
	}
	return m
}

// register registers, or takes what another relay of the same shard in this
// process has registered.
func register[C prometheus.Collector](registerer prometheus.Registerer, collector C) C {
	var taken prometheus.AlreadyRegisteredError
	if err := registerer.Register(collector); errors.As(err, &taken) {
		if existing, same := taken.ExistingCollector.(C); same {
			return existing
		}
	}
	return collector
}

// forget clears what only the relay at work knows: the next one will say.
func (m *metrics) forget() {
	m.unsent.Set(0)
	m.oldest.Set(0)
}
