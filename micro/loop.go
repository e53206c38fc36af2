package micro

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Loop measures the rounds of a background loop: how many, how many failed, how long each took. The sum of the seconds,
// as a rate, is how much of the time the loop is at work: at one it falls behind.
type Loop struct{ ok, failed prometheus.Observer }

// NewLoop makes the series of a loop, such as "order.expire". All loops of a registry are one metric; those of one name
// are counted together. A nil reg measures for nobody.
func NewLoop(reg prometheus.Registerer, name string) Loop {
	seconds := Register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tiffin_loop_round_seconds", Buckets: durations(),
		Help: "Time that rounds of background loops took, by outcome: ok or failed.",
	}, []string{"loop", "outcome"}))
	return Loop{ok: seconds.WithLabelValues(name, "ok"), failed: seconds.WithLabelValues(name, "failed")}
}

// Round runs one round and returns its error. What fails because ctx ended is not the loop's fault, and not counted.
func (l Loop) Round(ctx context.Context, round func() error) error {
	began := time.Now()
	err := round()
	switch {
	case err == nil:
		l.ok.Observe(time.Since(began).Seconds())
	case ctx.Err() == nil:
		l.failed.Observe(time.Since(began).Seconds())
	}
	return err
}
