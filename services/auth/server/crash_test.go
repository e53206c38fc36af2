package server

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

// steps are all the points at which a process can die during a registration, in their order.
var steps = []string{"reserve a", "reserve b", "reserve c", "insert", "commit", "activate"}

// registerAndDie registers and kills the goroutine at the step: nothing after it runs, as if the process were gone.
func registerAndDie(t *testing.T, s *Server, email, city, step string) {
	t.Helper()
	dying := *s
	registrar := *s.registrar
	registrar.step = func(name string) {
		if name == step {
			runtime.Goexit()
		}
	}
	dying.registrar = &registrar
	var group sync.WaitGroup
	group.Go(func() {
		_, err := dying.register(t.Context(), registration(email, city))
		require.NoError(t, err, "a dead process says nothing")
		require.Fail(t, "the process should have died", step)
	})
	group.Wait()
}

// Whatever step a process dies at, the address ends with one account or none, nothing is left over, and the next
// registration gets the answer that fits.
func TestDeathAtEachStep(t *testing.T) {
	t.Parallel()
	s := newFleet(t, func(c *Config) { c.ReservationTTL = 100 * time.Millisecond })
	for _, step := range steps {
		for home, city := range homes {
			t.Run(step+" for "+home, func(t *testing.T) {
				t.Parallel()
				email := freshEmail()
				registerAndDie(t, s, email, city, step)
				survived := accountsOf(t, s.cfg.Shards, email)
				require.Equal(t, step == "activate", survived == 1, "the account exists from the commit on")

				// The next one need not wait for a sweeper.
				_, err := s.register(t.Context(), registration(email, "Toronto"))
				if survived == 1 {
					requireCode(t, micro.CodeConflict, err)
				} else {
					require.NoError(t, err)
				}
				require.Equal(t, 1, accountsOf(t, s.cfg.Shards, email))
				session, err := s.login(t.Context(), login(email))
				require.NoError(t, err)
				require.Equal(t, claimedBy(session.User.ID, "a", "b", "c"), claimsOf(t, s.cfg.Shards, email))
			})
		}
	}
}

// The sweeper alone brings every dead registration to its end.
func TestSweeperEndsDeadRegistrations(t *testing.T) {
	t.Parallel()
	s := newFleet(t, func(c *Config) { c.ReservationTTL = time.Nanosecond })
	for _, step := range steps {
		email := freshEmail()
		registerAndDie(t, s, email, "Chicago", step)
		s.sweeper.sweep(t.Context())
		if accountsOf(t, s.cfg.Shards, email) == 0 {
			require.Empty(t, claimsOf(t, s.cfg.Shards, email), "died at %s", step)
			continue
		}
		session, err := s.login(t.Context(), login(email))
		require.NoError(t, err)
		require.Equal(t, claimedBy(session.User.ID, "a", "b", "c"), claimsOf(t, s.cfg.Shards, email))
	}
}

// A reservation that is not old yet is left alone: its registration may well be alive.
func TestSweeperLeavesTheLivingAlone(t *testing.T) {
	t.Parallel()
	s := newFleet(t, func(c *Config) { c.ReservationTTL = time.Hour })
	email := freshEmail()
	registerAndDie(t, s, email, "Chicago", "insert")
	before := claimsOf(t, s.cfg.Shards, email)
	require.Len(t, before, 3)
	s.sweeper.sweep(t.Context())
	require.Equal(t, before, claimsOf(t, s.cfg.Shards, email))
}

// A process that was only paused comes back after its registration was given up and the address went to somebody else.
// Its insert meets the tombstone and fails.
func TestLateInsertIsFenced(t *testing.T) {
	t.Parallel()
	s := newFleet(t, func(c *Config) { c.ReservationTTL = time.Nanosecond })
	email := freshEmail()
	paused, resume := make(chan struct{}), make(chan struct{})
	slow := *s
	registrar := *s.registrar
	registrar.step = func(name string) {
		if name == "insert" {
			close(paused)
			<-resume
		}
	}
	slow.registrar = &registrar
	answer := make(chan error, 1)
	go func() {
		_, err := slow.register(t.Context(), registration(email, "Boston"))
		answer <- err
	}()
	<-paused
	winner := mustRegister(t, s, email, "Guadalajara")
	close(resume)
	requireCode(t, micro.CodeUnavailable, <-answer)
	require.Equal(t, 1, accountsOf(t, s.cfg.Shards, email))
	require.Equal(t, claimedBy(winner.User.ID, "a", "b", "c"), claimsOf(t, s.cfg.Shards, email))
}

// The other way round: the judge comes while the account's transaction is open. It waits for the commit and finds the
// account, instead of giving up what is about to exist.
func TestJudgeWaitsForAnOpenTransaction(t *testing.T) {
	t.Parallel()
	s := newFleet(t, func(c *Config) { c.ReservationTTL = time.Nanosecond })
	email := freshEmail()
	open, commit := make(chan struct{}), make(chan struct{})
	slow := *s
	registrar := *s.registrar
	registrar.step = func(name string) {
		if name == "commit" {
			close(open)
			<-commit
		}
	}
	slow.registrar = &registrar
	answers := make(chan error, 2)
	register := func(s *Server, city string) {
		_, err := s.register(t.Context(), registration(email, city))
		answers <- err
	}
	go register(&slow, "Boston")
	<-open
	go register(s, "Guadalajara")
	require.Eventually(t, func() bool { return waitsForLock(t, s) }, soon, often)
	close(commit)
	codes := []micro.Code{micro.CodeOf(<-answers), micro.CodeOf(<-answers)}
	require.ElementsMatch(t, []micro.Code{"", micro.CodeConflict}, codes)
	require.Equal(t, 1, accountsOf(t, s.cfg.Shards, email))
}

// waitsForLock says whether a transaction on Boston's shard waits for another one.
func waitsForLock(t *testing.T, s *Server) (waits bool) {
	t.Helper()
	require.NoError(t, s.cfg.Shards.ByShard("b").Pool().QueryRow(t.Context(), `
		select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`).
		Scan(&waits))
	return waits
}
