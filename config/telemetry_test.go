package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/config"
)

func TestTraceHeadersAreReadAsOpenTelemetryWritesThem(t *testing.T) {
	t.Parallel()
	c, err := config.FromMap(map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20a=b, x-team = food ,"})
	require.NoError(t, err)
	headers, err := c.TraceHeaders()
	require.NoError(t, err)
	require.Equal(t, map[string]string{"authorization": "Bearer a=b", "x-team": "food"}, headers)

	for _, list := range []string{"s3cret", "=s3cret", "name=s3cret%zz"} {
		_, err := config.FromMap(map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": list})
		require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_HEADERS: entry 1")
		require.NotContains(t, err.Error(), "s3cret", "a key is not echoed")
	}
}

func FuzzTraceHeaders(f *testing.F) {
	f.Add("a=b,c=d")
	f.Add("%=%")
	f.Fuzz(func(t *testing.T, list string) {
		headers, err := config.Config{OTLPHeaders: list}.TraceHeaders()
		require.True(t, err != nil || headers[""] == "")
	})
}
