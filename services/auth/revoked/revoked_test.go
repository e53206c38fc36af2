package revoked_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/local/testenv"
	"tiffin/services/auth/revoked"
)

const (
	soon  = 15 * time.Second
	often = 5 * time.Millisecond
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record stands in for PostgreSQL's families; the auth service's own tests ask the real ones.
type record struct {
	mu       sync.Mutex
	families []revoked.Family
	err      error
}

func (r *record) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.families = append(r.families, revoked.Family{ID: id, Revoked: time.Now()})
}

func (r *record) since(_ context.Context, since time.Time) (found []revoked.Family, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.families {
		if f.Revoked.After(since) {
			found = append(found, f)
		}
	}
	return found, r.err
}

// during runs fn until the test ends.
func during(t *testing.T, fn func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
}

func client(t *testing.T, url string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(url)
	require.NoError(t, err)
	opts.ContextTimeoutEnabled, opts.MaxRetries = true, -1
	c := redis.NewClient(opts)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func announcer(rdb *redis.Client, r *record) *revoked.Announcer {
	return revoked.NewAnnouncer(rdb, time.Hour, slog.New(slog.DiscardHandler), time.Now, r.since)
}

func TestEveryEdgeHearsOfASignOut(t *testing.T) {
	t.Parallel()
	rdb := testenv.Redis(t)
	a := announcer(rdb, &record{})
	a.Announce(t.Context(), "before") // nobody listens yet: it is read
	lists := []*revoked.List{revoked.NewList(rdb, nil, nil), revoked.NewList(rdb, nil, nil)}
	for _, l := range lists {
		during(t, l.Run)
		require.Eventually(t, func() bool { return l.Has("before") }, soon, often)
	}
	a.Announce(t.Context(), "now")
	for _, l := range lists {
		require.Eventually(t, func() bool { return l.Has("now") }, time.Second, often, "by message, not by the next reading")
		require.False(t, l.Has("somebody else"))
	}
}

func TestNothingIsForgottenWhenRedisDies(t *testing.T) {
	t.Parallel()
	srv, r := testenv.OwnRedis(t), &record{}
	rdb := client(t, srv.URL)
	a, l := announcer(rdb, r), revoked.NewList(rdb, nil, nil)
	r.add("first")
	during(t, a.Run)
	during(t, l.Run)
	require.Eventually(t, func() bool { return l.Has("first") }, soon, often, "the first round looks at everything")

	srv.Kill() // with all it knew: it keeps nothing on disk
	r.add("meanwhile")
	a.Announce(t.Context(), "meanwhile") // cannot
	require.True(t, l.Has("first"), "what is known stays known")
	srv.Start()
	require.Eventually(t, func() bool { return l.Has("meanwhile") }, soon, often)
	late := revoked.NewList(rdb, nil, nil)
	during(t, late.Run)
	require.Eventually(t, func() bool { return late.Has("first") && late.Has("meanwhile") }, soon, often,
		"an empty Redis is filled from the record")
}

func TestARecordThatIsAwayIsAskedAgain(t *testing.T) {
	t.Parallel()
	rdb, r := testenv.Redis(t), &record{err: errors.New("a shard is away")}
	a, l := announcer(rdb, r), revoked.NewList(rdb, nil, nil)
	r.add("x")
	during(t, a.Run)
	during(t, l.Run)
	r.mu.Lock()
	r.err = nil
	r.mu.Unlock()
	require.Eventually(t, func() bool { return l.Has("x") }, soon, often)
}

func TestEntriesEndWithTheirTokens(t *testing.T) {
	t.Parallel()
	rdb := testenv.Redis(t)
	now := time.Now()
	old := revoked.NewAnnouncer(rdb, time.Hour, slog.New(slog.DiscardHandler), func() time.Time { return now.Add(-2 * time.Hour) },
		(&record{}).since)
	old.Announce(t.Context(), "old")
	announcer(rdb, &record{}).Announce(t.Context(), "young")
	l := revoked.NewList(rdb, nil, nil)
	during(t, l.Run)
	require.Eventually(t, func() bool { return l.Has("young") }, soon, often)
	require.False(t, l.Has("old"))
	n, err := rdb.ZCard(t.Context(), "auth:revoked").Result()
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "Redis forgets them too")
}

// BenchmarkHas is what each request pays.
func BenchmarkHas(b *testing.B) {
	l := revoked.NewList(nil, nil, nil)
	for range 100_000 {
		l.Add(b.Name()+time.Now().String(), time.Now().Add(time.Hour))
	}
	for b.Loop() {
		l.Has("0196f1f0-0000-8000-8000-000000000000")
	}
}
