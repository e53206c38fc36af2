package edge_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/services/edge"
)

func limits(r edge.RateLimits) func(*edge.Config) {
	return func(c *edge.Config) { c.RateLimits = r }
}

// exhaust sends until it is refused. Limits refill while a slow machine works,
// so how many passed is not judged.
func exhaust(t *testing.T, send func() answer) answer {
	t.Helper()
	for range 200 {
		if got := send(); got.status == http.StatusTooManyRequests {
			return got
		}
	}
	t.Fatal("never refused")
	return answer{}
}

func TestRefusalsSayWhenToComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, limits(edge.RateLimits{General: 2}))
	first := w.get(t, "/restaurants")
	require.Equal(t, "2", first.header.Get("RateLimit-Limit"))
	require.Equal(t, "2;w=1", first.header.Get("RateLimit-Policy"))
	got := exhaust(t, func() answer { return w.get(t, "/restaurants") })
	require.Contains(t, got.problem(t)["type"], "rate-limited")
	require.Equal(t, "0", got.header.Get("RateLimit-Remaining"))
	require.Equal(t, "1", got.header.Get("Retry-After"))
	require.Eventually(t, func() bool { return w.get(t, "/restaurants").status == http.StatusOK }, 5*time.Second, 50*time.Millisecond)
}

func TestGroupsAreCountedApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, limits(edge.RateLimits{General: 1, Auth: 1, Orders: 1, Location: 1}))
	rider := w.as(t, "delivery_partner")
	for _, path := range []string{"/restaurants", "/auth/me", "/orders/" + orderID} {
		require.Equal(t, http.StatusOK, w.get(t, path, rider...).status, "its group has not been used yet")
		exhaust(t, func() answer { return w.get(t, path, rider...) })
	}
	fix := func() answer {
		return w.send(t, "PATCH", "/delivery/"+userID+"/location", `{"latitude":1,"longitude":1}`, rider...)
	}
	require.Equal(t, http.StatusOK, fix().status, "positions are counted per rider, not per address")
	exhaust(t, fix)
}

func TestDeliveryTrackingAndTheUnknownAreGeneral(t *testing.T) {
	t.Parallel()
	w := newWorld(t, limits(edge.RateLimits{General: 1}))
	for _, path := range []string{"/delivery/me", "/tracking/" + orderID, "/orders/made/up", "/cities", "/restaurants/" + restaurantID + "/menu"} {
		exhaust(t, func() answer { return w.get(t, path, w.as(t, "delivery_partner")...) })
	}
	for range 20 {
		require.NotEqual(t, http.StatusTooManyRequests, w.get(t, "/orders", w.as(t, "customer")...).status, "0 is off")
	}
}

func TestWhatIsNotLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, limits(edge.RateLimits{General: 1, Auth: 1, Orders: 1}))
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/", "/track/1"} {
		for range 5 {
			got := w.get(t, path)
			require.NotEqual(t, http.StatusTooManyRequests, got.status, path)
			require.Empty(t, got.header.Get("RateLimit-Limit"))
		}
	}
	exempt := w.beside(t, limits(edge.RateLimits{General: 1, Exempt: []string{"127.0.0.0/8"}}))
	for range 5 {
		require.Equal(t, http.StatusOK, exempt.get(t, "/restaurants").status)
	}
}

func TestUsersAreCountedWhereverTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t, limits(edge.RateLimits{General: 1}), func(c *edge.Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	rider, next := w.as(t, "delivery_partner"), 0
	exhaust(t, func() answer { // a new address each time
		next++
		return w.get(t, "/delivery/me", append(rider, "X-Forwarded-For", "198.51.100."+strconv.Itoa(next))...)
	})
	exhaust(t, func() answer { // a client has a whole /64
		next++
		return w.get(t, "/delivery/me", "X-Forwarded-For", "2001:db8:1:2::"+strconv.Itoa(next))
	})
	for i := range 10 {
		got := w.get(t, "/delivery/me", "X-Forwarded-For", "203.0.113."+strconv.Itoa(i))
		require.Equal(t, http.StatusUnauthorized, got.status, "other clients behind the proxy have their own")
	}
}

func TestForwardedForOfStrangersCountsForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, limits(edge.RateLimits{General: 1}))
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip"} {
		next := 0
		exhaust(t, func() answer {
			next++
			return w.get(t, "/restaurants", header, "198.51.100."+strconv.Itoa(next))
		})
	}
}

func TestTwoEdgesShareLimits(t *testing.T) {
	t.Parallel()
	const rate = 30
	w := newWorld(t, limits(edge.RateLimits{General: rate}))
	other := w.beside(t, limits(edge.RateLimits{General: rate}))
	began, passed := time.Now(), 0
	for range 60 {
		for _, door := range []*world{w, other} {
			if door.get(t, "/restaurants").status == http.StatusOK {
				passed++
			}
		}
	}
	require.GreaterOrEqual(t, passed, rate)
	require.LessOrEqual(t, passed, rate+int(time.Since(began).Seconds()*rate)+1)
}

// With Redis dead, requests are answered at once, and still limited.
func TestLimitsWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	w := newWorld(t, limits(edge.RateLimits{General: 3}), func(c *edge.Config) {
		opts, err := redis.ParseURL(server.URL)
		require.NoError(t, err)
		c.Redis = redis.NewClient(opts)
		t.Cleanup(func() { require.NoError(t, c.Redis.Close()) })
	})
	require.Equal(t, http.StatusOK, w.get(t, "/restaurants").status)
	server.Kill()
	began := time.Now()
	require.Equal(t, http.StatusOK, w.get(t, "/restaurants").status)
	require.Less(t, time.Since(began), time.Second)
	exhaust(t, func() answer { return w.get(t, "/restaurants") })
}
