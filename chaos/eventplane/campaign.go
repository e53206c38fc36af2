package eventplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tiffin/chaos/consumer"
	"tiffin/chaos/fault"
)

// calm is how long orders flow before the first fault.
const calm = 3 * time.Second

// Config of a campaign.
type Config struct {
	Tiffin string // path of the product's binary
	NATS   string // path of nats-server, see rig.BuildNATS
	Dir    string // absolute, for data and logs
	Seed   uint64 // decides the faults; how they meet the processes is up to the machine
	For    time.Duration
	// Lose takes a message out of the queue at the end, to show that the campaign
	// finds it.
	Lose bool
	Log  *slog.Logger
}

// Report is what a campaign found.
type Report struct {
	Verdict
	Faults int           // that were inflicted
	Quiet  time.Duration // from the end of the last fault to the last event's delivery
	Lost   string        // the message taken out on purpose
}

// String is for people.
func (r Report) String() string {
	text := fmt.Sprintf("%d faults; quiet after %s; %s", r.Faults, r.Quiet.Round(time.Millisecond), r.Verdict)
	if r.Lost != "" {
		text += "; taken out on purpose: " + r.Lost
	}
	return text
}

// Run runs a campaign: orders flow and faults happen for the time given, all is
// healed, and the queue is compared with the rows. An error means that it could
// not be carried through, or that the events were not delivered in time.
func Run(ctx context.Context, c Config) (r Report, err error) {
	p, err := build(ctx, c.Dir, c.Tiffin, c.NATS)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	c.Log.Info("everything runs", "seed", c.Seed, "logs", c.Dir)
	l := &ledger{}
	if r.Faults, err = p.suffer(ctx, c, l); err != nil {
		return r, err
	}
	began := time.Now()
	c.Log.Info("all is healed, waiting for quiet", "faults", r.Faults)
	if err := p.awaitQuiet(ctx); err != nil {
		return r, err
	}
	r.Quiet = time.Since(began)
	if c.Lose {
		if r.Lost, err = p.queue().Lose(); err != nil {
			return r, err
		}
	}
	committed, err := p.committed(ctx)
	if err != nil {
		return r, err
	}
	queue, err := p.queue().ReadBack(ctx)
	if err != nil {
		return r, err
	}
	if c.Lose { // with its copies, if it has any
		queue = slices.DeleteFunc(queue, func(m consumer.Message) bool { return m.ID == r.Lost })
	}
	r.Verdict = Check(committed, l.ids, queue)
	return r, nil
}

// suffer lets orders flow and faults happen. On return everything runs.
func (p *plant) suffer(ctx context.Context, c Config, l *ledger) (faults int, err error) {
	during, done := context.WithTimeout(ctx, c.For)
	defer done()
	var count atomic.Int64
	counted := func(begin func(fault.Fault) error) func(fault.Fault) error {
		return func(f fault.Fault) error { count.Add(1); return begin(f) }
	}
	processes, network := lanes(c.Seed)
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { p.takeOrders(during, c.Seed, l); return nil })
	group.Go(func() error { return p.keepAll(during) })
	group.Go(func() error {
		fault.Wait(during, calm)
		return fault.Follow(during, processes, c.Log, counted(p.strike), func(f fault.Fault) error { return p.mend(running, f) })
	})
	group.Go(func() error {
		fault.Wait(during, calm)
		return fault.Follow(during, network, c.Log, counted(p.network.Disturb), func(f fault.Fault) error { return p.network.Heal(running, f) })
	})
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return int(count.Load()), p.keep(ctx)
}

// keepAll is the supervisor of the processes.
func (p *plant) keepAll(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := p.keep(ctx); err != nil {
				return err
			}
		}
	}
}
