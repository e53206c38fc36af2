package sim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// notes is a witness that writes everything down.
type notes struct {
	mu       sync.Mutex
	requests []Request
	frames   []Frame
}

func (n *notes) Asked(r Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, r)
}

func (n *notes) Said(f Frame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.frames = append(n.frames, f)
}

// Every try is told of, the one that failed too, with what identifies it.
func TestAWitnessSeesEveryTry(t *testing.T) {
	t.Parallel()
	var tries int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"id":"o1"}`))
	}))
	t.Cleanup(server.Close)
	seen := &notes{}
	acc := &account{api: newAPI(server.URL, seen), city: "Boston, MA"}
	acc.session.User.ID = "c1"
	err := acc.do(t.Context(), call{method: http.MethodPost, path: "/orders", header: map[string]string{headerKey: "k1"}}, nil)
	require.NoError(t, err)
	require.Len(t, seen.requests, 2)
	for i, r := range seen.requests {
		require.Equal(t, []int{503, 201}[i], r.Status)
		require.Equal(t, []string{"Boston, MA", "c1", "k1"}, []string{r.City, r.Account, r.Key})
		require.True(t, r.Placing())
		require.Empty(t, r.Accepting())
	}
	require.JSONEq(t, `{"id":"o1"}`, string(seen.requests[1].Body))

	server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Error(t, acc.post(ctx, "/delivery/o1/accept", nil, nil))
	last := seen.requests[len(seen.requests)-1]
	require.Zero(t, last.Status, "nobody answered")
	require.Equal(t, "o1", last.Accepting())
}

// A subscription that was refused for now is asked for again, and a witness sees all of it.
func TestARefusedSubscriptionIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s, far, heard := connected(t)
	seen := &notes{}
	s.account.api.seen = seen // before there is anything to see
	s.follow("one")
	require.Equal(t, "one", far.next().ID)
	far.mu.Lock()
	require.NoError(t, far.conn.WriteJSON(map[string]any{"id": "one", "error": map[string]string{"message": "try later"}}))
	far.mu.Unlock()
	require.JSONEq(t, `{"orderId":"one","since":0}`, string(far.next().Data))
	far.say("order-updated", `{"orderId":"one","seq":1}`)
	<-heard
	seen.mu.Lock()
	defer seen.mu.Unlock()
	var story []string
	for _, f := range seen.frames {
		word, _ := json.Marshal([]any{f.Sent, f.Event, f.Refused})
		story = append(story, string(word))
	}
	require.Equal(t, []string{
		`[true,"subscribe-order",false]`, `[false,"",true]`, `[true,"subscribe-order",false]`, `[false,"order-updated",false]`,
	}, story)
}
