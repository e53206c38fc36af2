package server

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/restaurant"
	"tiffin/wire"
)

// relay is the way to a server, which the test may cut and mend.
type relay struct {
	target string

	mu       sync.Mutex
	cut      bool
	conns    []net.Conn
	finished sync.WaitGroup
}

// newRelay returns a relay and the URL that leads through it.
func newRelay(t *testing.T, rawURL string) (*relay, string) {
	t.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{target: u.Host}
	r.finished.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.finished.Go(func() { r.carry(conn) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		r.set(true)
		r.finished.Wait()
	})
	u.Host = listener.Addr().String()
	return r, u.String()
}

func (r *relay) set(cut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = cut
	for _, conn := range r.conns {
		_ = conn.Close() // closed twice, at worst
	}
	r.conns = nil
}

func (r *relay) carry(client net.Conn) {
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		_ = client.Close()
		return
	}
	r.mu.Lock()
	cut := r.cut
	r.conns = append(r.conns, client, server)
	r.mu.Unlock()
	if cut {
		r.set(true)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
	both.Go(func() { _, _ = io.Copy(client, server); _ = client.Close() })
	both.Wait()
}

// Without the store, what is cached is read, the rest is 503 at once, and all is well again soon after it is back.
func TestWithoutStore(t *testing.T) {
	t.Parallel()
	way, through := newRelay(t, testenv.Mongo(t))
	s := newServer(t, through, testenv.Redis(t))
	me := owner(t)
	r := mustOpen(me, t, s, opening("Taquería", "Boston"))
	item := mustAdd(me, t, s, r.ID, "Taco", 500)
	get(t, s, r.ID)
	menuOf(t, s, r.ID)
	list(t, s, restaurant.ListRequest{City: "Boston"})

	way.set(true)
	require.Equal(t, r, get(t, s, r.ID))
	require.Len(t, menuOf(t, s, r.ID), 1)
	require.Len(t, list(t, s, restaurant.ListRequest{City: "Boston"}).Restaurants, 1)
	quote := func() error {
		_, err := s.quote(t.Context(), restaurant.QuoteRequest{RestaurantID: r.ID, Items: []restaurant.QuoteLine{{MenuItemID: item.ID, Quantity: 1}}})
		return err
	}
	for what, ask := range map[string]func() error{
		"a city nobody has read": func() error { _, err := s.list(t.Context(), restaurant.ListRequest{City: "Reno"}); return err },
		"everything":             func() error { _, err := s.list(t.Context(), restaurant.ListRequest{}); return err },
		"a restaurant":           func() error { _, err := s.get(t.Context(), restaurant.GetRequest{ID: objectID(7).Hex()}); return err },
		"a quote":                quote, // a price may not be old, and nobody can tell whether it is
		"a new restaurant":       func() error { _, err := s.create(me, opening("x", "Boston")); return err },
		"a change":               func() error { _, err := s.update(me, restaurant.UpdateRequest{ID: r.ID}); return err },
		"a dish": func() error { // whose restaurant it is, is cached
			_, err := s.menuDelete(me, restaurant.MenuDeleteRequest{RestaurantID: r.ID, ItemID: item.ID})
			return err
		},
	} {
		err := ask()
		require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err), "%s: %v", what, err)
		require.Positive(t, micro.From(err).RetryAfter)
	}
	// By now the breaker is open: nobody waits for the timeout of the driver any more.
	started := time.Now()
	requireCode(t, micro.CodeUnavailable, quote())
	require.Less(t, time.Since(started), storeTimeout/2)
	require.Error(t, s.Health(t.Context())["mongodb"])

	way.set(false)
	require.Eventually(t, func() bool { return quote() == nil }, soon, 50*time.Millisecond)
	_, err := s.menuUpdate(me, restaurant.MenuUpdateRequest{RestaurantID: r.ID, ItemID: item.ID, ItemChanges: restaurant.ItemChanges{Price: ptr(wire.Money(600))}})
	require.NoError(t, err)
}

// The service starts before its store and serves once it is there.
func TestStartBeforeTheStore(t *testing.T) {
	t.Parallel()
	way, through := newRelay(t, testenv.Mongo(t))
	way.set(true)
	s := newServer(t, through, nil)
	_, err := s.list(t.Context(), restaurant.ListRequest{City: "Boston"})
	requireCode(t, micro.CodeUnavailable, err)
	way.set(false)
	require.Eventually(t, func() bool {
		_, err := s.create(owner(t), opening("First", "Boston"))
		return err == nil
	}, soon, 50*time.Millisecond)
	for range 2 { // the second start finds them: FerretDB panics when asked for an index it has
		require.NoError(t, s.store.prepare(t.Context()))
	}
	require.Equal(t, []string{"First"}, names(list(t, s, restaurant.ListRequest{City: "Boston"})))
}

// A bad URL stops the start with the name of its variable, and without the password in it.
func TestBadURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "http://x", "mongodb://user:s3cret@", "mongodb://user:s3cret@host:99999/db"} {
		_, err := New(t.Context(), Config{MongoURL: bad, Router: newRouter(t)})
		require.ErrorContains(t, err, "MONGODB_URL")
		require.NotContains(t, err.Error(), "s3cret")
	}
}
