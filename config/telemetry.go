package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// TraceHeaders are the headers of OTEL_EXPORTER_OTLP_HEADERS, whose form is
// OpenTelemetry's. The error does not quote a value, which may be a key.
func (c Config) TraceHeaders() (map[string]string, error) {
	headers := map[string]string{}
	for i, item := range split(c.OTLPHeaders) {
		name, value, found := strings.Cut(item, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !found || name == "" || err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS: entry %d is not of the form name=value", i+1)
		}
		headers[name] = value
	}
	return headers, nil
}

func (c Config) validateTelemetry() error {
	if _, err := c.TraceHeaders(); err != nil {
		return err
	}
	if !(c.TracesRatio >= 0 && c.TracesRatio <= 1) {
		return fmt.Errorf("OTEL_TRACES_SAMPLER_ARG: %v is not within 0 and 1", c.TracesRatio)
	}
	if c.SentryDSN == "" {
		return nil
	}
	dsn, err := url.Parse(c.SentryDSN)
	if err != nil || dsn.Host == "" || dsn.User.Username() == "" || strings.Trim(dsn.Path, "/") == "" {
		return errors.New("SENTRY_DSN: not of the form https://key@host/project")
	}
	return nil
}
