package edge_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/services/edge"
)

// dial opens a raw connection to the edge.
func (w *world) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", w.edge.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // the edge may have closed it first
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return conn
}

// raw sends text as it is and reads one response.
func (w *world) raw(t *testing.T, text string) answer {
	t.Helper()
	conn := w.dial(t)
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
	return readAnswer(t, conn)
}

func readAnswer(t *testing.T, conn net.Conn) answer {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return answer{res.StatusCode, res.Header, string(body)}
}

// Slow clients are cut off, whatever part they are slow with, while others are
// served.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, beginning := range map[string]string{
		"nothing":     "",
		"a half line": "GET /resta",
		"headers":     "GET /restaurants HTTP/1.1\r\nHost: x\r\nX-Slow: 1\r\n",
		"a body":      "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := w.dial(t)
			began := time.Now()
			_, err := io.WriteString(conn, beginning)
			require.NoError(t, err)
			drip := time.NewTicker(200 * time.Millisecond)
			defer drip.Stop()
			closed := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, conn) // ends with the connection, however that ends
				close(closed)
			}()
			for {
				select {
				case <-closed:
					require.Less(t, time.Since(began), 8*time.Second)
					return
				case <-drip.C:
					if beginning != "" {
						_, _ = io.WriteString(conn, "a") // one byte at a time keeps nothing alive; may fail once cut off
					}
				}
			}
		})
	}
	require.Equal(t, http.StatusOK, w.get(t, "/healthz").status)
}

func TestBrokenRequestsGetProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		text   string
		status int
	}{
		"no HTTP":                 {"rubbish\r\n\r\n", 400},
		"no path":                 {"GET\r\n\r\n", 400},
		"huge headers":            {"GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + strings.Repeat("x", 20<<10) + "\r\n\r\n", 431},
		"many headers":            {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 600) + "\r\n", 431},
		"unknown method":          {"FROB /orders HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		"negative length":         {"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400},
		"two lengths":             {"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400},
		"length and chunks":       {"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		"chunks and length":       {"POST /auth/login HTTP/1.1\r\ntransfer-encoding: chunked\r\nHost: x\r\ncontent-length: 2\r\n\r\n0\r\n\r\n", 400},
		"space before the colon":  {"POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
		"a folded header":         {"POST /auth/login HTTP/1.1\r\nHost: x\r\nX-A: b\r\n Content-Length: 2\r\n\r\n{}", 400},
		"chunked twice":           {"POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400},
		"another coding":          {"POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
		"bare newlines in chunks": {"POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n", 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := w.raw(t, c.text)
			require.Equal(t, c.status, got.status, got.body)
			got.problem(t)
			require.NotContains(t, got.body, "fasthttp")
			require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
		})
	}
}

// A body far beyond every limit is refused before it has arrived, and the
// client can still read the refusal.
func TestHugeBodiesAreRefusedReadably(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		conn := w.dial(t)
		_, err := fmt.Fprintf(conn, "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", 8<<20)
		require.NoError(t, err)
		_, err = conn.Write(make([]byte, 8<<20))
		require.NoError(t, err, "the edge takes in what a refused client still sends")
		got := readAnswer(t, conn)
		require.Equal(t, http.StatusRequestEntityTooLarge, got.status)
		got.problem(t)
	}
	require.Zero(t, w.count("auth.login"))
}

func TestPipelinedRequestsAreNotMixedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.dial(t)
	var all strings.Builder
	for i := range 20 {
		fmt.Fprintf(&all, "GET /cities?q=boston HTTP/1.1\r\nHost: x\r\nX-Request-Id: id-%d\r\n\r\n", i)
	}
	_, err := io.WriteString(conn, all.String())
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	for i := range 20 {
		res, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, fmt.Sprintf("id-%d", i), res.Header.Get("X-Request-Id"))
	}
}

func TestPathsThatDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{
		"/orders/" + orderID + "/nothing", "/auth", "/auth/", "/auth/nothing", "/restaurants/" + restaurantID + "/menu/" + itemID + "/x",
		"/admin", "/admin/users", "/delivery", "/tracking", "/assets/missing.js", "/favicon.missing", "/.env", "/docs/../../etc/passwd",
		"/orders/..%2f..%2fetc", "/AUTH/login.php",
	} {
		got := w.get(t, path, w.as(t, "admin")...)
		require.Equal(t, http.StatusNotFound, got.status, path)
		require.NotContains(t, got.body, "passwd")
		got.problem(t)
	}
	got := w.send(t, "POST", "/nowhere", "{}", w.as(t, "admin")...)
	require.Equal(t, http.StatusNotFound, got.status)
	got.problem(t)
}

// What Fiber reads leniently must not reach a service by another way.
func TestHeadersCannotForgeTheActor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.get(t, "/restaurants/"+restaurantID, "Tiffin-Actor", "admin x", "X-User-Id", "x", "X-Http-Method-Override", "DELETE")
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "anonymous", w.got("restaurant.get").actor.Role)
}

func TestPortsInUseAreNamed(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, ln.Close()) }()
	port := ln.Addr().(*net.TCPAddr).Port
	_, err = edge.New(edge.Config{BindAddress: "127.0.0.1", Port: port})
	require.ErrorContains(t, err, "API_GATEWAY_PORT")
	_, err = edge.New(edge.Config{BindAddress: "127.0.0.1", TrackingPort: port})
	require.ErrorContains(t, err, "TRACKING_SERVICE_PORT")
}
