package fault

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Kind is what is done to a target.
type Kind string

// The kinds of faults.
const (
	Kill   Kind = "kill"   // SIGKILL, started again after the hold
	Pause  Kind = "pause"  // SIGSTOP, SIGCONT after the hold
	Wipe   Kind = "wipe"   // SIGKILL, and the server comes back without its data
	Cut    Kind = "cut"    // connections are closed and refused
	Freeze Kind = "freeze" // connections stay and carry nothing
	Slow   Kind = "slow"   // every packet is late
	Fill   Kind = "fill"   // the server has no room for more
)

// Fault is one step of a lane: what happens to whom, for how long, and how long
// the lane rests afterwards.
type Fault struct {
	Kind   Kind
	Target string
	Hold   time.Duration
	Rest   time.Duration
}

// String is the fault as it is logged.
func (f Fault) String() string {
	return fmt.Sprintf("%s %s for %s", f.Kind, f.Target, f.Hold.Round(time.Millisecond))
}

// Lane gives faults one after the other, without end.
type Lane interface{ Next() Fault }

// Follow inflicts a lane's faults, one after the other, until ctx ends. The
// last one is ended, too.
func Follow(ctx context.Context, l Lane, log *slog.Logger, begin, end func(Fault) error) error {
	for ctx.Err() == nil {
		f := l.Next()
		log.Info(f.String())
		if err := begin(f); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		Wait(ctx, f.Hold)
		if err := end(f); err != nil {
			return fmt.Errorf("heal %s: %w", f, err)
		}
		Wait(ctx, f.Rest)
	}
	return nil
}

// Wait returns after d, or when ctx ends.
func Wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Pick takes one of several with equal chances.
func Pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// Between is a time from low to high.
func Between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)+1))
}
