package edge_test

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The end of the context finishes what is in flight, says that the connection
// ends, and takes nothing new.
func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := w.block("order.get")
	defer release()
	const inFlight = 8
	answers := make(chan answer, inFlight)
	for range inFlight {
		go func() { answers <- w.get(t, "/orders/"+orderID, w.as(t, "customer")...) }()
	}
	require.Eventually(t, func() bool { return w.count("order.get") == inFlight }, 5*time.Second, time.Millisecond)

	stopped := make(chan error, 1)
	go func() { stopped <- w.stop() }()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", w.edge.Addr().String())
		if err == nil {
			_ = conn.Close() // only whether it was accepted matters
		}
		return err != nil
	}, 5*time.Second, 5*time.Millisecond, "nothing new is accepted")
	select {
	case err := <-stopped:
		t.Fatalf("stopped with requests in flight: %v", err)
	default:
	}
	release()
	for range inFlight {
		got := <-answers
		require.Equal(t, http.StatusOK, got.status, got.body)
	}
	require.NoError(t, <-stopped)
}

// Stopping at any moment under load fails no request that was accepted.
func TestDrainUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 16 {
		wg.Go(func() {
			for {
				req, err := http.NewRequest(http.MethodGet, w.url+"/restaurants", nil)
				if err != nil {
					return
				}
				res, err := w.client.Do(req)
				if err != nil {
					return // not accepted any more
				}
				mu.Lock()
				statuses[res.StatusCode]++
				mu.Unlock()
				_ = res.Body.Close() // unread: only the status matters
			}
		})
	}
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return statuses[http.StatusOK] > 200
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, w.stop())
	wg.Wait()
	require.Len(t, statuses, 1, "%v", statuses)
}

func TestStoppingBeforeServingIsClean(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.stop())
	other := w.beside(t)
	require.NoError(t, other.stop())
}
