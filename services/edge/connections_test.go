package edge_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/services/edge"
)

// alive reports whether the edge serves the connection.
func alive(t *testing.T, conn net.Conn) bool {
	t.Helper()
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return false
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

// One address may have so many connections and no more, over both ports; whoever
// hangs up makes room.
func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	t.Parallel()
	const most = 5
	w := newWorld(t, func(c *edge.Config) { c.MaxConnections = most })
	w.client.CloseIdleConnections()
	var open []net.Conn
	require.Eventually(t, func() bool { // readiness was asked over connections that may still be closing
		for len(open) < most {
			conn := w.dial(t)
			if !alive(t, conn) {
				return false
			}
			open = append(open, conn)
		}
		return true
	}, 10*time.Second, 20*time.Millisecond)
	for range 3 {
		require.False(t, alive(t, w.dial(t)), "one too many")
	}
	live, err := net.Dial("tcp", w.edge.TrackingAddr().String())
	require.NoError(t, err)
	defer live.Close()
	require.False(t, alive(t, live), "the other port is no way around")
	for _, conn := range open {
		require.True(t, alive(t, conn), "those who were there are served on")
	}
	require.NoError(t, open[0].Close())
	require.Eventually(t, func() bool { return alive(t, w.dial(t)) }, 5*time.Second, 20*time.Millisecond)
}

// Behind a trusted proxy everybody has its address.
func TestConnectionsOfProxiesAreNotCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *edge.Config) { c.MaxConnections, c.TrustedProxies = 1, []string{"127.0.0.1"} })
	for range 4 {
		require.True(t, alive(t, w.dial(t)))
	}
}
