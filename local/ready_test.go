package local

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/config"
)

func TestAwaitReadyAsksUntil200(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/readyz", r.URL.Path)
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	n := srv.Listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, awaitReady(t.Context(), config.Config{BindAddress: "127.0.0.1", EdgePort: n}, newProgress(&bytes.Buffer{})))
	require.EqualValues(t, 3, asked.Load())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, awaitReady(ctx, config.Config{BindAddress: "0.0.0.0", EdgePort: n}, newProgress(&bytes.Buffer{})), context.Canceled)
}

func TestAskReadyTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"status":"degraded","checks":{"redis":{"status":"unavailable","error":"timeout"},"nats":{"status":"ok"},"bridge":{"status":"unavailable","error":"nobody"}}}`: {"bridge (nobody)", "redis (timeout)"},
		`not json`: nil,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, err := fmt.Fprint(w, body)
			require.NoError(t, err)
		}))
		client := srv.Client()
		ok, down := askReady(t.Context(), client, srv.URL)
		require.False(t, ok)
		require.Equal(t, want, down)
		client.CloseIdleConnections()
		srv.Close()
	}
}
