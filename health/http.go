package health

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler serves what an orchestrator asks of a process: GET /healthz, 200
// while it lives; GET /readyz, 200 with the report while it should get work and
// 503 with the report otherwise; GET /metrics. None of them is logged: they come
// every few seconds.
func (w *Watch) Handler(metrics prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(res http.ResponseWriter, _ *http.Request) {
		answer(res, http.StatusOK, map[string]string{"status": StatusOK})
	})
	mux.HandleFunc("GET /readyz", func(res http.ResponseWriter, _ *http.Request) {
		report, ready := w.Ready()
		if ready {
			answer(res, http.StatusOK, report)
			return
		}
		res.Header().Set("Retry-After", "1")
		answer(res, http.StatusServiceUnavailable, report)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	return mux
}

// answer sends v as JSON. A client that has hung up misses an answer it no
// longer wants, so the error says nothing.
func answer(res http.ResponseWriter, status int, v any) {
	res.Header().Set("Content-Type", "application/json")
	res.Header().Set("Cache-Control", "no-store")
	res.WriteHeader(status)
	_ = json.NewEncoder(res).Encode(v)
}
