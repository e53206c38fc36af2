package server

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"tiffin/micro"
)

// countHashes counts hashes made and compared, since no clock can tell whether two paths do the same work.
func countHashes(s *Server) *atomic.Int64 {
	count := new(atomic.Int64)
	compare, makeHash := s.hasher.compare, s.hasher.make
	s.hasher.compare = func(hash, password []byte) error { count.Add(1); return compare(hash, password) }
	s.hasher.make = func(password []byte, cost int) ([]byte, error) { count.Add(1); return makeHash(password, cost) }
	return count
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	for _, city := range homes {
		email := freshEmail()
		first := mustRegister(t, s, email, city)
		second, err := s.login(t.Context(), login(strings.ToUpper(email)))
		require.NoError(t, err)
		require.Equal(t, first.User, second.User)
		require.NotEqual(t, first.RefreshToken, second.RefreshToken)
	}
}

// A wrong password, an unknown address and no address at all get the same answer for the same work: one comparison
// with a hash of the same cost.
func TestRefusalsAreAlike(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	email := freshEmail()
	mustRegister(t, s, email, "Boston")
	count := countHashes(s)
	var costs []int
	compare := s.hasher.compare
	s.hasher.compare = func(hash, password []byte) error {
		cost, err := bcrypt.Cost(hash)
		require.NoError(t, err)
		costs = append(costs, cost)
		return compare(hash, password)
	}
	var answers []string
	for _, address := range []string{email, freshEmail(), "not an address"} {
		req := login(address)
		req.Password = "wrong-password"
		before := count.Load()
		_, err := s.login(t.Context(), req)
		requireCode(t, micro.CodeUnauthenticated, err)
		require.EqualValues(t, 1, count.Load()-before)
		answers = append(answers, err.Error())
	}
	require.Equal(t, []string{answers[0], answers[0], answers[0]}, answers)
	require.Equal(t, []int{bcrypt.MinCost, bcrypt.MinCost, bcrypt.MinCost}, costs)
}

// The dummy's password, whatever it is, opens nothing.
func TestDummyMatchesNobody(t *testing.T) {
	t.Parallel()
	h, err := newHasher(bcrypt.MinCost, 1, 1)
	require.NoError(t, err)
	h.compare = func([]byte, []byte) error { return nil }
	ok, err := h.matches(t.Context(), "", "lucky guess")
	require.NoError(t, err)
	require.False(t, ok)
}

// After the cost was raised, a login brings its hash to the new cost, so that old accounts do not stand out by time.
func TestHashIsBroughtToTodaysCost(t *testing.T) {
	t.Parallel()
	set := openSet(t, threeShards(t))
	email := freshEmail()
	mustRegister(t, newServer(t, set), email, "Boston")
	dearer := newServer(t, set, func(c *Config) { c.BcryptCost = bcrypt.MinCost + 1 })
	count := countHashes(dearer)
	for _, want := range []int64{2, 3} { // compare and make, then compare
		_, err := dearer.login(t.Context(), login(email))
		require.NoError(t, err)
		require.Equal(t, want, count.Load())
	}
	a, err := findAccount(t.Context(), set, email)
	require.NoError(t, err)
	cost, err := bcrypt.Cost([]byte(a.PasswordHash))
	require.NoError(t, err)
	require.Equal(t, bcrypt.MinCost+1, cost)
}

// During a flood, as many hashes run as there are workers, the queue waits, and the rest is refused before it has cost
// a query.
func TestFloodOfLogins(t *testing.T) {
	t.Parallel()
	s := newFleet(t, func(c *Config) { c.BcryptWorkers, c.BcryptQueue = 2, 3 })
	email := freshEmail()
	mustRegister(t, s, email, "Boston")

	enter, leave := make(chan struct{}), make(chan struct{})
	var running, most atomic.Int64
	s.hasher.compare = func([]byte, []byte) error {
		most.Store(max(most.Load(), running.Add(1)))
		enter <- struct{}{}
		<-leave
		running.Add(-1)
		return nil
	}
	var group sync.WaitGroup
	var served atomic.Int64
	for range 5 {
		group.Go(func() {
			if _, err := s.login(t.Context(), login(email)); err == nil {
				served.Add(1)
			}
		})
	}
	<-enter
	<-enter
	require.Eventually(t, func() bool { return len(s.hasher.waiting) == 5 }, soon, often)

	s.cfg.Shards.Close() // a refused login that asked a shard would now fail otherwise
	_, err := s.login(t.Context(), login(email))
	requireCode(t, micro.CodeLimited, err)
	var e *micro.Error
	require.ErrorAs(t, err, &e)
	require.Positive(t, e.RetryAfter)
	_, err = s.register(t.Context(), registration(freshEmail(), "Boston"))
	requireCode(t, micro.CodeLimited, err)

	go func() {
		for range 3 {
			<-enter
		}
	}()
	close(leave)
	group.Wait()
	require.EqualValues(t, 2, most.Load())
	require.Empty(t, s.hasher.waiting)
	require.Zero(t, served.Load(), "the shards were closed under them")
}

// Who has waited for long is refused as well, before they give up themselves.
func TestQueueIsNotALongWait(t *testing.T) {
	t.Parallel()
	h, err := newHasher(bcrypt.MinCost, 1, 1)
	require.NoError(t, err)
	release, tooLong := make(chan struct{}), make(chan time.Time)
	h.compare = func([]byte, []byte) error { <-release; return nil }
	h.after = func(time.Duration) <-chan time.Time { return tooLong }
	var group sync.WaitGroup
	group.Go(func() { _, err := h.matches(context.Background(), "x", "y"); require.NoError(t, err) })
	require.Eventually(t, func() bool { return len(h.running) == 1 }, soon, often)
	group.Go(func() {
		_, err := h.matches(context.Background(), "x", "y")
		requireCode(t, micro.CodeLimited, err)
	})
	tooLong <- time.Now()
	require.Eventually(t, func() bool { return len(h.waiting) == 1 }, soon, often)
	close(release)
	group.Wait()
}

// A caller who leaves gives the place in the queue back.
func TestQueueForgetsWhoLeft(t *testing.T) {
	t.Parallel()
	h, err := newHasher(bcrypt.MinCost, 1, 1)
	require.NoError(t, err)
	release := make(chan struct{})
	h.compare = func([]byte, []byte) error { <-release; return nil }
	var group sync.WaitGroup
	group.Go(func() { _, err := h.matches(context.Background(), "x", "y"); require.NoError(t, err) })
	require.Eventually(t, func() bool { return len(h.running) == 1 }, soon, often)

	ctx, leave := context.WithCancel(t.Context())
	group.Go(func() {
		_, err := h.matches(ctx, "x", "y")
		require.ErrorIs(t, err, context.Canceled)
	})
	require.Eventually(t, func() bool { return h.busy() != nil }, soon, often)
	leave()
	require.Eventually(t, func() bool { return h.busy() == nil }, soon, often)
	close(release)
	group.Wait()
}
