package fleet

import (
	"github.com/prometheus/client_golang/prometheus"

	"tiffin/config"
)

// certificates tells when TLS_CERT and TLS_CA end. It reads the files at every
// scrape, since they are renewed while the process runs.
type certificates struct {
	config config.Config
	ends   *prometheus.Desc
}

// newCertificates gives a point in time, as Prometheus' conventions have it, and
// not a time that is left: that would be wrong by the age of the scrape.
func newCertificates(c config.Config) certificates {
	return certificates{config: c, ends: prometheus.NewDesc("tiffin_tls_certificate_expiry_timestamp_seconds",
		"Unix time at which the certificates of a file end; 0 when they cannot be used.", []string{"variable"}, nil)}
}

// Describe names the only figure.
func (c certificates) Describe(out chan<- *prometheus.Desc) { out <- c.ends }

// Collect gives a figure for each file that is set.
func (c certificates) Collect(out chan<- prometheus.Metric) {
	for variable, end := range c.config.Expiry() {
		seconds := 0.0
		if !end.IsZero() {
			seconds = float64(end.Unix())
		}
		out <- prometheus.MustNewConstMetric(c.ends, prometheus.GaugeValue, seconds, variable)
	}
}

// validateTLS reads the files that the configuration names.
func (c Config) validateTLS() error {
	if _, err := c.Config.ServerTLS(); err != nil {
		return err
	}
	_, err := c.Config.ClientTLS("")
	return err
}
