package realtime_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/stretchr/testify/require"

	"tiffin/services/delivery"
	"tiffin/services/edge/realtime"
	"tiffin/services/tracking/trackingtest"
)

// poller speaks Engine.IO over plain HTTP, to do what the stock client never would.
type poller struct {
	t    testing.TB
	e    *edge
	http *http.Client
	sid  string
}

// newPoller opens a session.
func newPoller(t testing.TB, e *edge) *poller {
	t.Helper()
	p := &poller{t: t, e: e, http: &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}}
	t.Cleanup(p.http.CloseIdleConnections)
	status, body := p.do(http.MethodGet, "EIO=4&transport=polling", "", nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, byte('0'), body[0])
	p.sid = decode[struct{ SID string }](t, json.RawMessage(body[1:])).SID
	require.Len(t, p.sid, 24)
	return p
}

func (p *poller) do(method, query, body string, header http.Header) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.e.addr+"/socket.io/?"+query, strings.NewReader(body))
	require.NoError(p.t, err)
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := p.http.Do(req)
	require.NoError(p.t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, res.Body.Close())
	return res.StatusCode, string(text)
}

func (p *poller) query() string { return "EIO=4&transport=polling&sid=" + p.sid }

func (p *poller) poll() (int, string) {
	p.t.Helper()
	return p.do(http.MethodGet, p.query(), "", nil)
}

func (p *poller) post(body string) (int, string) {
	p.t.Helper()
	return p.do(http.MethodPost, p.query(), body, http.Header{"Content-Type": {"text/plain;charset=UTF-8"}})
}

// join connects to the namespace.
func (p *poller) join(token string) {
	p.t.Helper()
	status, body := p.post(`40{"token":"` + token + `"}`)
	require.Equal(p.t, http.StatusOK, status)
	require.Equal(p.t, "ok", body)
	_, body = p.poll()
	require.True(p.t, strings.HasPrefix(body, `40{"sid":"`), body)
}

func TestEngineHandshakeErrors(t *testing.T) {
	t.Parallel()
	e := runEdge(t, trackingtest.New(t, trackingtest.Options{}), "", nil)
	p := &poller{t: t, e: e, http: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(p.http.CloseIdleConnections)
	for _, tt := range []struct {
		method, query, origin string
		status, code          int
	}{
		{"GET", "EIO=3&transport=polling", "", 400, 5},
		{"GET", "transport=polling", "", 400, 5},
		{"GET", "EIO=4&transport=carrier-pigeon", "", 400, 0},
		{"GET", "EIO=4", "", 400, 0},
		{"GET", "EIO=4&transport=polling&sid=nobody", "", 400, 1},
		{"POST", "EIO=4&transport=polling", "", 400, 2},
		{"GET", "EIO=4&transport=websocket", "", 400, 3},
		{"GET", "EIO=4&transport=polling", "http://evil.example", 403, 4},
	} {
		header := http.Header{}
		if tt.origin != "" {
			header.Set("Origin", tt.origin)
		}
		status, body := p.do(tt.method, tt.query, "", header)
		require.Equal(t, tt.status, status, tt.query)
		got := decode[struct {
			Code    int
			Message string
		}](t, json.RawMessage(body))
		require.Equal(t, tt.code, got.Code, tt.query)
		require.NotEmpty(t, got.Message)
	}
}

func TestPollingFromAnotherPageGetsCORS(t *testing.T) {
	t.Parallel()
	e := runEdge(t, trackingtest.New(t, trackingtest.Options{}), "", nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+e.addr+"/socket.io/?EIO=4&transport=polling", nil)
	require.NoError(t, err)
	req.Header.Set("Origin", homePage)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, homePage, res.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "text/plain; charset=UTF-8", res.Header.Get("Content-Type"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
}

// TestBrowsersAskBeforeTheyPost: a page of a listed site may send what the stock client sends; to others nothing is
// allowed, and asking opens no session.
func TestBrowsersAskBeforeTheyPost(t *testing.T) {
	t.Parallel()
	e := runEdge(t, trackingtest.New(t, trackingtest.Options{}), "", nil)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	preflight := func(origin, method, headers string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+e.addr+"/socket.io/?EIO=4&transport=polling", nil)
		require.NoError(t, err)
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", method)
		req.Header.Set("Access-Control-Request-Headers", headers)
		res, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		res := preflight(homePage, method, "authorization,content-type")
		require.Equal(t, http.StatusNoContent, res.StatusCode)
		require.Equal(t, homePage, res.Header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, res.Header.Get("Access-Control-Allow-Methods"), method)
		require.Contains(t, strings.ToLower(res.Header.Get("Access-Control-Allow-Headers")), "authorization")
		require.Contains(t, strings.ToLower(res.Header.Get("Access-Control-Allow-Headers")), "content-type")
	}
	require.Empty(t, preflight("http://evil.example", http.MethodPost, "content-type").Header.Get("Access-Control-Allow-Origin"))
	require.Zero(t, e.gauge(t, "tiffin_realtime_sockets"))
}

func TestSeveralPacketsInOnePayload(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	p := newPoller(t, e)
	p.join(customerToken(t, tr))
	status, _ := p.post(`420["subscribe-order","` + tr.OrderID + `"]` + "\x1e" + `421["get-location","` + tr.OrderID + `"]`)
	require.Equal(t, http.StatusOK, status)
	_, body := p.poll()
	parts := strings.Split(body, "\x1e")
	require.Len(t, parts, 2)
	require.True(t, strings.HasPrefix(parts[0], `430[{"data":{"orderId"`), parts[0])
	require.True(t, strings.HasPrefix(parts[1], `431[{"error":{"message"`), parts[1])
}

// TestTwoPollsAtOnceCloseTheSession, as the reference server does: a client that polls twice has lost track.
func TestTwoPollsAtOnceCloseTheSession(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	p := newPoller(t, e)
	p.join(customerToken(t, b.Assigned(delivery.Accepted)))
	statuses := make(chan int, 2)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { status, _ := p.poll(); statuses <- status })
	}
	both.Wait()
	require.ElementsMatch(t, []int{200, 400}, []int{<-statuses, <-statuses})
	require.Eventually(t, func() bool { status, _ := p.poll(); return status == 400 }, 5*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == 0 }, 20*time.Second, 10*time.Millisecond)
}

// TestPostsThatCloseTheSession: after each the session is gone, and nothing of it is left.
func TestPostsThatCloseTheSession(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	raw := customerToken(t, b.Assigned(delivery.Accepted))
	for name, tt := range map[string]struct {
		body   string
		header http.Header
		status int
	}{
		"close packet":        {"1", nil, 200},
		"no packet":           {"x", nil, 400},
		"empty":               {"", nil, 400},
		"broken event":        {`42{"a":1}`, nil, 400},
		"broken JSON":         {`42["a"`, nil, 400},
		"unexpected binary":   {"bAAEC", nil, 400},
		"broken base64":       {"b!", nil, 400},
		"text for attachment": {`451-["a",{"_placeholder":true,"num":0}]` + "\x1e" + `42["b"]`, nil, 400},
		"too large":           {"4" + strings.Repeat("x", 16<<10), nil, 413},
		"compressed":          {"2", http.Header{"Content-Encoding": {"gzip"}}, 400},
		"binary body":         {"2", http.Header{"Content-Type": {"application/octet-stream"}}, 400},
		"too many packets":    {strings.Repeat("2\x1e", 1000) + "2", nil, 400},
	} {
		p := newPoller(t, e)
		p.join(raw)
		status, _ := p.do(http.MethodPost, p.query(), tt.body, tt.header)
		require.Equal(t, tt.status, status, name)
		require.Eventually(t, func() bool { status, _ := p.poll(); return status == 400 }, 5*time.Second, 10*time.Millisecond, name)
	}
	require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == 0 }, 20*time.Second, 10*time.Millisecond)
}

func TestBinaryEventsOverPollingAreAnswered(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	p := newPoller(t, e)
	p.join(customerToken(t, b.Assigned(delivery.Accepted)))
	status, _ := p.post(`451-7["a",{"_placeholder":true,"num":0}]` + "\x1ebAAEC")
	require.Equal(t, http.StatusOK, status)
	_, body := p.poll()
	require.Equal(t, `437[{"error":{"message":"binary data is not accepted"}}]`, body)
}

// TestUpgradeThatComesToNothing: the client goes on polling.
func TestUpgradeThatComesToNothing(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	p := newPoller(t, e)
	p.join(customerToken(t, tr))
	url := "ws://" + e.addr + "/socket.io/?EIO=4&transport=websocket&sid=" + p.sid
	for _, first := range []string{"2probe", "5", "2", "4x", ""} {
		conn, _, err := websocket.DefaultDialer.Dial(url, nil)
		require.NoError(t, err)
		require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte(first)))
		if first == "2probe" {
			_, answer, err := conn.ReadMessage()
			require.NoError(t, err)
			require.Equal(t, "3probe", string(answer))
			require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte("2probe")))
		}
		_, _, err = conn.ReadMessage()
		require.Error(t, err, "closed")
		require.NoError(t, conn.Close())
	}
	p.post(`42["subscribe-order","` + tr.OrderID + `"]`)
	b.MustSend(trackingtest.FixAt(tr, trackingtest.Kitchen, time.Now()))
	_, body := p.poll()
	require.Contains(t, body, `42["location-updated",`)
}

func TestUpgradeTakesWhatWasQueued(t *testing.T) {
	t.Parallel()
	b := trackingtest.New(t, trackingtest.Options{})
	e := runEdge(t, b, "", nil)
	tr := b.Assigned(delivery.Accepted)
	p := newPoller(t, e)
	p.join(customerToken(t, tr))
	url := "ws://" + e.addr + "/socket.io/?EIO=4&transport=websocket&sid=" + p.sid
	conn, _, err := websocket.DefaultDialer.Dial(url, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte("2probe")))
	_, _, err = conn.ReadMessage()
	require.NoError(t, err)
	_, body := p.poll()
	require.Equal(t, "6", body, "polls end while the client moves")
	p.post(`421["subscribe-order","` + tr.OrderID + `"]`)
	require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte("5")))
	_, message, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Contains(t, string(message), `431[{"data":`)
	status, _ := p.poll()
	require.Equal(t, http.StatusBadRequest, status, "the session has moved")
	status, _ = p.post("2")
	require.Equal(t, http.StatusBadRequest, status)
	_, res, err := websocket.DefaultDialer.Dial(url, nil)
	require.Error(t, err)
	require.Equal(t, http.StatusBadRequest, res.StatusCode)
}

// TestSilentClientsAreFoundOut: heartbeats go unanswered, over each transport.
func TestSilentClientsAreFoundOut(t *testing.T) {
	t.Parallel()
	e := runEdge(t, trackingtest.New(t, trackingtest.Options{}), "", func(c *realtime.Config) {
		c.PingInterval, c.PingTimeout = 2*time.Second, 1500*time.Millisecond
	})
	newPoller(t, e)
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+e.addr+"/socket.io/?EIO=4&transport=websocket", nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	plain := dial(t, e, "") // nobody reads it, so nobody answers its pings
	require.NotNil(t, plain)
	// The handshake's answer may be here before the socket is counted.
	require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == 3 }, 10*time.Second, time.Millisecond)
	_, open, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Contains(t, string(open), `"pingInterval":2000,"pingTimeout":1500,"maxPayload":16384`)
	_, ping, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "2", string(ping))
	require.Eventually(t, func() bool { return e.gauge(t, "tiffin_realtime_sockets") == 0 }, 20*time.Second, 10*time.Millisecond)
}

func TestAnsweredHeartbeatsKeepTheSession(t *testing.T) {
	t.Parallel()
	e := runEdge(t, trackingtest.New(t, trackingtest.Options{}), "", func(c *realtime.Config) {
		c.PingInterval, c.PingTimeout = 2*time.Second, 1500*time.Millisecond
	})
	p := newPoller(t, e)
	for range 3 {
		_, body := p.poll()
		require.Equal(t, "2", body)
		p.post("3")
	}
}
