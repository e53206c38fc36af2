package wholefleet

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// toxiproxy leaves a link's goroutines behind when a server is killed with bytes on the way to it: whoever wrote to
		// the server has gone, and they wait for it to take the bytes.
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"))
}

// edge is one that says its name, and can be made unready or silent.
type edge struct {
	*httptest.Server
	unready atomic.Bool
}

func newEdge(t *testing.T, name string) *edge {
	t.Helper()
	e := &edge{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/hang":
			<-r.Context().Done()
		case r.URL.Path == "/readyz" && e.unready.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(w, name)
		}
	}))
	t.Cleanup(e.Close)
	return e
}

// ask makes a request on a connection of its own.
func ask(t *testing.T, b *balancer, path string) (string, error) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(b.url() + path) //nolint:noctx // the client has a timeout
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func TestTheBalancerGoesRoundWhatIsNotReady(t *testing.T) {
	t.Parallel()
	one, two := newEdge(t, "one"), newEdge(t, "two")
	b, err := newBalancer([]string{strings.TrimPrefix(one.URL, "http://"), strings.TrimPrefix(two.URL, "http://")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.close()) })
	require.Eventually(t, func() bool { return b.ready() == 2 }, 10*time.Second, time.Millisecond)
	met := map[string]int{}
	for range 10 {
		name, err := ask(t, b, "/")
		require.NoError(t, err)
		met[name]++
	}
	require.Equal(t, map[string]int{"one": 5, "two": 5}, met)

	waiting := make(chan error, 1)
	one.unready.Store(true)
	go func() {
		_, err := ask(t, b, "/hang")
		waiting <- err
	}()
	require.Eventually(t, func() bool { return b.ready() == 1 }, 10*time.Second, time.Millisecond)
	for range 4 {
		name, err := ask(t, b, "/")
		require.NoError(t, err)
		require.Equal(t, "two", name)
	}
	two.unready.Store(true)
	require.Error(t, <-waiting, "who is at an edge that is not ready any more is hung up on")
	require.Eventually(t, func() bool { return b.ready() == 0 }, 10*time.Second, time.Millisecond)
	_, err = ask(t, b, "/")
	require.Error(t, err)
}
