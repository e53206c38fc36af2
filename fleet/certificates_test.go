package fleet

import (
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tiffin/config"
	"tiffin/local/testenv"
)

// ends gives the figures as a scrape would read them.
func ends(t *testing.T, c config.Config) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(newCertificates(c))
	families, err := registry.Gather()
	require.NoError(t, err)
	out := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			out[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
		}
	}
	return out
}

func TestTheEndOfCertificatesIsAFigure(t *testing.T) {
	t.Parallel()
	require.Empty(t, ends(t, config.Config{}), "without TLS there is no figure, and no alert")
	files, other := testenv.Authority(t), testenv.Authority(t)
	c := config.Config{TLSCert: files.Cert, TLSKey: files.Key, TLSCA: files.CA}
	tomorrow := float64(time.Now().Add(24 * time.Hour).Unix())
	for _, variable := range []string{"TLS_CERT", "TLS_CA"} {
		require.InDelta(t, tomorrow, ends(t, c)[variable], 60, variable)
	}

	c.TLSKey = other.Key
	require.Zero(t, ends(t, c)["TLS_CERT"], "a certificate beside the key of another one cannot be served again")
	require.NoError(t, os.WriteFile(files.CA, []byte("nothing"), 0o600))
	require.Zero(t, ends(t, c)["TLS_CA"])
}

func TestCheckReadsTheFilesOfTLS(t *testing.T) {
	t.Parallel()
	files, other := testenv.Authority(t), testenv.Authority(t)
	c := config.Config{NATSURL: "nats://nats:4222", RabbitMQURL: "amqp://rabbitmq:5672", TLSCert: files.Cert, TLSKey: files.Key, TLSCA: files.CA}
	check := func(c config.Config) error { return Config{Config: c, Roles: []string{"bridge"}}.Validate() }
	require.NoError(t, check(c))
	wrong := c
	wrong.TLSKey = other.Key
	require.ErrorContains(t, check(wrong), "TLS_CERT, TLS_KEY: ")
	wrong = c
	wrong.TLSCA = "/absent"
	require.ErrorContains(t, check(wrong), "TLS_CA: ")
}
