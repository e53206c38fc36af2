package server

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// committer gathers fixes that arrive while a round trip to Redis is under way into the next one. A lone fix waits for
// nobody; under load one script call carries hundreds, which is what lets one Redis take in as many riders as it does.
type committer struct {
	store *store
	clock func() time.Time
	in    chan *commit
}

// commit is one fix waiting for its outcome. done is closed when outcome and err are set.
type commit struct {
	fix     *fix
	outcome outcome
	err     error
	done    chan struct{}
}

const (
	// maxBatch bounds one script call to about a millisecond: Redis serves nobody else meanwhile.
	maxBatch = 128
	// committers is how many round trips may be under way at once: one being executed, one on the wire.
	committers = 2
	// commitTimeout bounds the wait for Redis, so that a frozen one costs a 503 and not a worker for minutes.
	commitTimeout = 2 * time.Second
)

func newCommitter(s *store, clock func() time.Time) *committer {
	return &committer{store: s, clock: clock, in: make(chan *commit, committers*maxBatch)}
}

// record hands in one fix and waits for its outcome. It returns ctx's error when ctx ends first; the fix may then have
// been taken in all the same.
func (c *committer) record(ctx context.Context, f *fix) (outcome, error) {
	job := &commit{fix: f, done: make(chan struct{})}
	select {
	case c.in <- job:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	select {
	case <-job.done:
		return job.outcome, job.err
	case <-ctx.Done():
		return 0, ctx.Err()
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
			c.commit(ctx, c.gather(first))
		}
	}
}

// gather adds what is waiting already, without waiting for more. Two fixes of one rider keep their order within a
// batch, and across batches the script's comparison of timestamps keeps the newer one.
func (c *committer) gather(first *commit) []*commit {
	batch := []*commit{first}
	for len(batch) < maxBatch {
		select {
		case next := <-c.in:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (c *committer) commit(ctx context.Context, batch []*commit) {
	// A batch that was gathered is carried out even when the service is stopping: somebody waits for each answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	fixes := make([]*fix, len(batch))
	for i, job := range batch {
		fixes[i] = job.fix
	}
	outcomes, err := c.store.record(ctx, c.clock(), fixes)
	for i, job := range batch {
		if job.err = err; err == nil {
			job.outcome = outcomes[i]
		}
		close(job.done)
	}
}
