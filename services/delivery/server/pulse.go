package server

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// pulsesPerSilence is how many signs of life are written within the time after which a rider counts as silent:
	// enough that one lost write makes nobody silent.
	pulsesPerSilence = 4
	// maxPulses bounds the memory of who was written when. Forgetting costs a write that is a little early.
	maxPulses = 200_000
)

// pulses remembers when each rider's sign of life was last written, so that an app that asks every second does not
// write every second.
type pulses struct {
	interval time.Duration
	clock    func() time.Time

	mu      sync.Mutex
	written map[string]time.Time
}

func newPulses(interval time.Duration, clock func() time.Time) *pulses {
	return &pulses{interval: interval, clock: clock, written: map[string]time.Time{}}
}

// due reports whether a sign of life should be written now, and counts it as written.
func (p *pulses) due(id string) bool {
	now := p.clock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, known := p.written[id]; known && now.Sub(last) < p.interval && !now.Before(last) {
		return false
	}
	if len(p.written) >= maxPulses {
		clear(p.written)
	}
	p.written[id] = now
	return true
}

// forget makes the next sign of life count, after a write that failed.
func (p *pulses) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.written, id)
}

// heardOf counts a request of a rider as a sign of life: written by what the request did itself, or else now.
func (s *Server) heardOf(ctx context.Context, id string, written bool) {
	if written {
		s.pulses.due(id)
		return
	}
	s.pulse(ctx, id)
}

// pulse notes that a rider's app is alive. A failure fails no request: the next one tries again.
func (s *Server) pulse(ctx context.Context, id string) {
	if !s.pulses.due(id) {
		return
	}
	wasSilent, err := s.store.heard(ctx, id)
	if err != nil {
		s.pulses.forget(id)
		s.log.DebugContext(ctx, "sign of life not written", "rider", id, "error", err)
		return
	}
	if wasSilent {
		s.wakeFor(id)
	}
}

// heard writes that a rider is alive and tells whether they had counted as silent.
func (s *store) heard(ctx context.Context, id string) (wasSilent bool, err error) {
	db, err := s.shards.ByID(id)
	if err != nil {
		return false, err
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `update delivery.partners p set seen_at = now(), silent = false
			from (select id, silent from delivery.partners where id = $1 for update) old
			where p.id = old.id returning old.silent`, id)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[bool])
		wasSilent = len(list) == 1 && list[0]
		return err
	})
	return wasSilent, err
}
