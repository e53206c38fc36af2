package server

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/micro"
	"tiffin/shard"
)

// puppet is a registration that stands still before each of its steps until the test lets it go on, or kills it.
type puppet struct {
	at      chan string // announces the step it stands before
	verdict chan bool   // true: go on; false: die
	done    chan error  // closed without a value when it died
	ended   bool
	err     error
}

// raise starts a registration that is fully aware of its rivals: every reservation it meets is old enough to be judged.
func raise(t *testing.T, s *Server, email string, region shard.Region) *puppet {
	t.Helper()
	p := &puppet{at: make(chan string), verdict: make(chan bool), done: make(chan error, 1)}
	registrar := *s.registrar
	registrar.ttl = 0
	registrar.step = func(name string) {
		if name == "commit" {
			return // the others would wait for the open transaction, and the test for them
		}
		p.at <- name
		if !<-p.verdict {
			runtime.Goexit()
		}
	}
	go func() {
		defer close(p.done)
		p.done <- registrar.open(t.Context(), email, region,
			func(context.Context) error { return nil },
			func(ctx context.Context, tx pgx.Tx, id string) error {
				a := account{ID: id, Email: email, Role: "customer", CreatedAt: time.Now(), UpdatedAt: time.Now()}
				return insertAccount(ctx, tx, nil, a, region, email)
			})
	}()
	p.wait()
	return p
}

// wait returns when the puppet stands before its next step or has ended.
func (p *puppet) wait() {
	select {
	case <-p.at:
	case err, answered := <-p.done:
		p.ended, p.err = true, err
		if !answered {
			p.err = context.Canceled // died
		}
	}
}

func (p *puppet) let(live bool) {
	p.verdict <- live
	p.wait()
}

// Whatever the order in which three registrations of one address take their steps, wherever they die, and whenever
// somebody sweeps without any patience: there is never more than one account, everybody who was told so has one, and
// after the last sweep the claims say exactly what is true.
func TestEveryInterleaving(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	s.sweeper.registrar.ttl = 0
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		email := fmt.Sprintf("run%d@example.com", runs)
		puppets := []*puppet{
			raise(t, s, email, "us-west"), raise(t, s, email, "us-east"), raise(t, s, email, "mx"),
		}
		for alive(puppets) {
			p := puppets[rapid.IntRange(0, len(puppets)-1).Draw(r, "puppet")]
			switch action := rapid.IntRange(0, 19).Draw(r, "action"); {
			case action == 0:
				s.sweeper.sweep(t.Context())
			case p.ended:
			default:
				p.let(action != 1)
			}
			require.LessOrEqual(t, accountsOf(t, s.cfg.Shards, email), 1)
		}
		s.sweeper.sweep(t.Context())
		requireTruth(t, s, email, puppets)
	})
}

func alive(puppets []*puppet) bool {
	for _, p := range puppets {
		if !p.ended {
			return true
		}
	}
	return false
}

func requireTruth(t *testing.T, s *Server, email string, puppets []*puppet) {
	t.Helper()
	accounts, told := accountsOf(t, s.cfg.Shards, email), 0
	for _, p := range puppets {
		if p.err == nil {
			told++
		}
	}
	require.LessOrEqual(t, told, accounts)
	if accounts == 0 {
		require.Empty(t, claimsOf(t, s.cfg.Shards, email))
		return
	}
	a, err := findAccount(t.Context(), s.cfg.Shards, email)
	require.NoError(t, err)
	require.Equal(t, claimedBy(a.ID, "a", "b", "c"), claimsOf(t, s.cfg.Shards, email))
	_, err = s.register(t.Context(), registration(email, "Toronto"))
	requireCode(t, micro.CodeConflict, err)
}
