package server

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/micro"
	"tiffin/shard"
)

const (
	// reserveWait is how long a registration waits for another one of the same address to end.
	reserveWait = 3 * time.Second
	firstPause  = 10 * time.Millisecond
	longPause   = 200 * time.Millisecond
)

// registrar runs the registration protocol of doc.go.
type registrar struct {
	shards *shard.Set
	claims *claims
	ttl    time.Duration // age at which a reservation counts as abandoned
	log    *slog.Logger
	// step is called before each step that a crash could separate from the one before. Tests die there.
	step func(name string)
}

// errTaken is the answer to an address that has an account.
func errTaken() error { return micro.Conflict("this e-mail address is already registered") }

// open opens one account: fleet-wide unique, on the shard of region. prepare is called once the address is won, for
// work too dear for losers; insert writes the account, under the id given, in the home shard's transaction.
func (r *registrar) open(ctx context.Context, email string, region shard.Region, prepare func(context.Context) error,
	insert func(ctx context.Context, tx pgx.Tx, id string) error,
) error {
	id, err := r.reserve(ctx, email, region)
	if err != nil {
		return err
	}
	if err := prepare(ctx); err != nil {
		r.claims.release(ctx, email, id)
		return err
	}
	write := func(ctx context.Context, tx pgx.Tx) error { return insert(ctx, tx, id) }
	if err := r.insert(ctx, email, id, write); err != nil {
		return err
	}
	r.step("activate")
	r.claims.activate(ctx, email, id)
	return nil
}

// reserve wins the address and returns the id it is won for, or fails with conflict when it belongs to somebody, and
// with unavailable when nobody can tell. Every attempt has an id of its own: a deletion of the last attempt's votes may
// still be on its way to a shard that hangs, and would take away what this attempt has been told is its own.
func (r *registrar) reserve(ctx context.Context, email string, region shard.Region) (string, error) {
	patience, cancel := context.WithTimeout(ctx, reserveWait)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		id := r.shards.Router().NewID(region)
		rival, err := r.collect(ctx, email, id)
		if err != nil {
			return "", err
		}
		if rival == nil {
			return id, nil
		}
		taken, err := r.judge(ctx, *rival)
		switch {
		case err != nil:
			return "", micro.Unavailable(err, "it cannot be decided now whether this e-mail address is free")
		case taken:
			return "", errTaken()
		}
		select {
		case <-patience.Done():
			return "", micro.Unavailable(nil, "this e-mail address is being registered at this moment")
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// collect asks the shards for their votes in a fixed order, so that of two rivals mostly the one who is first at the
// first shard wins everywhere. It returns the rival met, having taken all own votes back, or nil with a majority won.
func (r *registrar) collect(ctx context.Context, email, id string) (rival *claim, err error) {
	votes := 0
	for _, db := range r.shards.All() {
		r.step("reserve " + db.ID())
		vote, err := r.claims.reserve(ctx, db, email, id)
		switch {
		case errors.Is(err, shard.ErrUnavailable):
			r.log.DebugContext(ctx, "shard has no vote", "shard", db.ID(), "error", err)
		case err != nil:
			r.claims.release(ctx, email, id)
			return nil, err
		case vote.UserID != id:
			r.claims.release(ctx, email, id)
			return &vote, nil
		default:
			votes++
		}
	}
	if votes < r.claims.majority() {
		r.claims.release(ctx, email, id)
		return nil, micro.Unavailable(nil, "too few shards are reachable to register an e-mail address")
	}
	return nil, nil
}

// judge says whether the holder of a claim keeps the address for good. A reservation that is too old is ended first,
// at its home: only after that tombstone may the claims go, because then a late insert fails.
func (r *registrar) judge(ctx context.Context, holder claim) (taken bool, err error) {
	if holder.Active {
		return true, nil
	}
	if holder.UserID == "" {
		return false, nil
	}
	var ended outcome
	if holder.Age < r.ttl {
		ended, err = outcomeOf(ctx, r.shards, holder.UserID)
	} else {
		ended, err = settle(ctx, r.shards, holder.UserID)
	}
	switch {
	case err != nil:
		return false, err
	case ended == committed:
		r.claims.activate(ctx, holder.Email, holder.UserID)
		return true, nil
	case ended == abandoned:
		r.claims.release(ctx, holder.Email, holder.UserID)
	}
	return false, nil
}

// insert writes the account. Whatever goes wrong, it knows afterwards whether the account exists, or it leaves the
// claims for whoever can find out.
func (r *registrar) insert(ctx context.Context, email, id string, write func(context.Context, pgx.Tx) error) error {
	r.step("insert")
	db, err := r.shards.ByID(id)
	if err != nil {
		return err
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := commitRegistration(ctx, tx, id, db.Region()); err != nil {
			return err
		}
		if err := write(ctx, tx); err != nil {
			return err
		}
		r.step("commit")
		return nil
	})
	if shard.CommitUnknown(err) {
		return r.resolve(ctx, email, id, err)
	}
	if err == nil {
		return nil
	}
	r.claims.release(ctx, email, id)
	if errors.Is(err, errFenced) {
		return micro.Unavailable(err, "the registration took too long, try again")
	}
	return err
}

// resolve finds out what a broken COMMIT did.
func (r *registrar) resolve(ctx context.Context, email, id string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	ended, err := settle(ctx, r.shards, id)
	switch {
	case err != nil:
		r.log.WarnContext(ctx, "registration left to the sweeper", "user", id, "error", err)
		return cause
	case ended == committed:
		return nil
	default:
		r.claims.release(ctx, email, id)
		return cause
	}
}
