package server

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"time"

	"golang.org/x/crypto/bcrypt"

	"tiffin/micro"
)

const (
	defaultCost    = 10
	defaultWorkers = 2
	defaultQueue   = 32
	// queueWait is the longest a hash waits for its turn. On a machine that is slow for other reasons a short queue may
	// be a long wait, and callers who run into their own timeouts count them against the whole service.
	queueWait = 2 * time.Second
)

// hasher computes bcrypt hashes, few at a time: one hash keeps a core busy for tens of milliseconds, and a flood of
// logins must not take the cores from orders. What does not fit the queue is refused at once.
type hasher struct {
	cost    int
	dummy   []byte        // of nobody's password, for addresses nobody has
	waiting chan struct{} // a slot per hash that runs or waits
	running chan struct{} // a slot per hash that runs

	after func(time.Duration) <-chan time.Time // time.After, except in tests

	// These are bcrypt, counted by tests.
	compare func(hash, password []byte) error
	make    func(password []byte, cost int) ([]byte, error)
}

func newHasher(cost, workers, queue int) (*hasher, error) {
	if cost == 0 {
		cost = defaultCost
	}
	if workers == 0 {
		workers = min(defaultWorkers, max(1, runtime.GOMAXPROCS(0)-1))
	}
	if queue == 0 {
		queue = defaultQueue
	}
	h := &hasher{
		after: time.After, cost: cost, waiting: make(chan struct{}, workers+queue), running: make(chan struct{}, workers),
		compare: bcrypt.CompareHashAndPassword, make: bcrypt.GenerateFromPassword,
	}
	var err error
	h.dummy, err = bcrypt.GenerateFromPassword([]byte(rand.Text()), cost)
	return h, err
}

// busy refuses when the queue is full, before a flood has cost any query. It reserves nothing.
func (h *hasher) busy() error {
	if len(h.waiting) == cap(h.waiting) {
		return errBusy()
	}
	return nil
}

// errBusy is 429 and not 503: callers count 503 against the whole service, whose other endpoints are well.
func errBusy() error {
	e := micro.E(micro.CodeLimited, "too many sign-ins at once, try again in a moment")
	e.RetryAfter = time.Second
	return e
}

// hash returns the hash of a new password, or limited.
func (h *hasher) hash(ctx context.Context, password string) (out string, err error) {
	err = h.turn(ctx, func() error {
		hash, err := h.make([]byte(password), h.cost)
		out = string(hash)
		return err
	})
	return out, err
}

// matches says whether password is the one of hash. Without a hash it compares with the dummy: the same work, so that
// the time tells nobody which addresses have an account.
func (h *hasher) matches(ctx context.Context, hash, password string) (ok bool, err error) {
	known := []byte(hash)
	if hash == "" {
		known = h.dummy
	}
	err = h.turn(ctx, func() error {
		err := h.compare(known, []byte(password))
		ok = err == nil && hash != ""
		if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			return nil
		}
		return err
	})
	return ok, err
}

// outdated says whether hash was made with another cost than today's.
func (h *hasher) outdated(hash string) bool {
	cost, err := bcrypt.Cost([]byte(hash))
	return err == nil && cost != h.cost
}

// turn runs work on a worker's slot, after those who came first.
func (h *hasher) turn(ctx context.Context, work func() error) error {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return errBusy()
	}
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-h.after(queueWait):
		return errBusy()
	case <-ctx.Done():
		return ctx.Err()
	}
	return work()
}
