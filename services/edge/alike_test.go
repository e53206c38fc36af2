package edge_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/restaurant"
)

// TestTheSameQuestionIsAskedOnce: those who come while the service thinks share
// its next answer.
func TestTheSameQuestionIsAskedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path, subject, callers = "/restaurants?city=Paris", "restaurant.list", 100
	release := w.block(subject)
	defer release()
	var all sync.WaitGroup
	ask := func() {
		all.Go(func() {
			a := w.get(t, path)
			require.Equal(t, http.StatusOK, a.status, a.body)
			require.Contains(t, a.body, restaurantID)
		})
	}
	ask()
	require.Eventually(t, func() bool { return w.count(subject) == 1 }, 10*time.Second, time.Millisecond)
	for range callers {
		ask()
	}
	require.Eventually(t, func() bool { return w.count(subject) > 1 }, 10*time.Second, time.Millisecond,
		"an answer that does not come keeps nobody waiting")
	release()
	all.Wait()
	require.Less(t, w.count(subject), callers/2)
}

// TestAnErrorIsSharedToo: each of those who asked is told, with an id of their own.
func TestAnErrorIsSharedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail("restaurant.get", micro.NotFound("restaurant"))
	ids := make([]string, 20)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			a := w.get(t, "/restaurants/"+restaurantID)
			require.Equal(t, http.StatusNotFound, a.status)
			a.problem(t)
			ids[i] = a.header.Get("X-Request-Id")
		})
	}
	all.Wait()
	require.Len(t, unique(ids), len(ids))
}

// TestOtherQuestionsAreAskedApart: another city, another restaurant, and what
// depends on who asks.
func TestOtherQuestionsAreAskedApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		subject string
		path    func(n int) string
	}{
		{"restaurant.list", func(n int) string { return fmt.Sprintf("/restaurants?city=Paris&limit=%d", n+1) }},
		{"restaurant.menu", func(n int) string { return fmt.Sprintf("/restaurants/67409f3e2b1c4d5e6f7081%02x/menu", n) }},
		{"restaurant.get", func(n int) string { return fmt.Sprintf("/restaurants/67409f3e2b1c4d5e6f7081%02x", n) }},
		{"restaurant.list", func(int) string { return "/restaurants?ownerUserId=" + userID }},
	} {
		before, release := w.count(c.subject), w.block(c.subject)
		var all sync.WaitGroup
		for n := range 10 {
			all.Go(func() {
				a := w.get(t, c.path(n), w.as(t, auth.RoleOwner)...)
				require.Equal(t, http.StatusOK, a.status, a.body)
			})
		}
		require.Eventually(t, func() bool { return w.count(c.subject) == before+10 }, 10*time.Second, time.Millisecond, c.path(0))
		release()
		all.Wait()
	}
	require.Equal(t, micro.Actor{Role: auth.RoleOwner, ID: userID}, w.got(restaurant.Subject(restaurant.VerbList)).actor)
}

func unique(values []string) map[string]bool {
	set := map[string]bool{}
	for _, v := range values {
		set[v] = true
	}
	return set
}
