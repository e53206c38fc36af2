package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
)

// collector takes the traces of all that is measured, as an operator's would: of
// one request in a hundred, which is the default where there is anybody to send
// them to.
type collector struct {
	*httptest.Server
	used    bool // by a fleet
	exports atomic.Int64
}

// openCollector starts one on a free port.
func openCollector() *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			c.exports.Add(1)
		}
		w.Header().Set("Content-Type", "application/x-protobuf") // an empty message: everything was taken
	}))
	return c
}

// env gives the variables that send traces here, one in a hundred.
func (c *collector) env() map[string]string {
	c.used = true
	return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_TRACES_SAMPLER_ARG": "0.01"}
}

// close fails when nothing came: then something else was measured than is said.
func (c *collector) close() error {
	c.Close()
	if c.used && c.exports.Load() == 0 {
		return errors.New("no traces were sent")
	}
	return nil
}
