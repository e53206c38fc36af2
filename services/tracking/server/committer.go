package server

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"tiffin/services/tracking"
)

// committer gathers fixes that arrive while a round trip to Redis is under way into the next one. A lone fix waits for
// nobody; under load one script call carries hundreds, which is what lets one Redis take in as many riders as it does.
type committer struct {
	store *store
	clock func() time.Time
	in    chan *commit
}

// commit is fixes waiting for their outcomes. done is closed when outcomes, one for each, and err are set.
type commit struct {
	fixes    []*fix
	outcomes []outcome
	err      error
	done     chan struct{}
}

const (
	// maxBatch bounds one script call to one or two milliseconds: Redis serves nobody else meanwhile.
	maxBatch = tracking.MaxBatch
	// committers is how many round trips may be under way at once: one being executed, one on the wire.
	committers = 2
	// commitTimeout bounds the wait for Redis, so that a frozen one costs a 503 and not a worker for minutes.
	commitTimeout = 2 * time.Second
)

func newCommitter(s *store, clock func() time.Time) *committer {
	return &committer{store: s, clock: clock, in: make(chan *commit, committers*maxBatch)}
}

// record hands in fixes and waits for the outcome of each. It returns ctx's error when ctx ends first; the fixes may then
// have been taken in all the same.
func (c *committer) record(ctx context.Context, fixes ...*fix) ([]outcome, error) {
	if len(fixes) == 0 {
		return nil, nil
	}
	job := &commit{fixes: fixes, done: make(chan struct{})}
	select {
	case c.in <- job:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-job.done:
		return job.outcomes, job.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Run commits until ctx ends.
func (c *committer) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range committers {
		g.Go(func() error { return c.loop(ctx) })
	}
	return g.Wait()
}

func (c *committer) loop(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-c.in:
			batch, fixes := c.gather(first)
			c.commit(ctx, batch, fixes)
		}
	}
}

// gather adds what is waiting already, without waiting for more. Two fixes of one rider keep their order within a
// batch, and across batches the script's comparison of timestamps keeps the newer one.
func (c *committer) gather(first *commit) (batch []*commit, fixes []*fix) {
	batch, fixes = []*commit{first}, slices.Clone(first.fixes)
	for len(fixes) < maxBatch {
		select {
		case next := <-c.in:
			batch, fixes = append(batch, next), append(fixes, next.fixes...)
		default:
			return batch, fixes
		}
	}
	return batch, fixes
}

func (c *committer) commit(ctx context.Context, batch []*commit, fixes []*fix) {
	// A batch that was gathered is carried out even when the service is stopping: somebody waits for each answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	outcomes, err := c.store.record(ctx, c.clock(), fixes)
	for _, job := range batch {
		if job.err = err; err == nil {
			job.outcomes, outcomes = outcomes[:len(job.fixes)], outcomes[len(job.fixes):]
		}
		close(job.done)
	}
}
