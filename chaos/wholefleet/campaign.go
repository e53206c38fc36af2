package wholefleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tiffin/chaos/consumer"
	"tiffin/chaos/fault"
	"tiffin/sim"
)

const (
	// calm is how long orders flow before anything happens.
	calm = 3 * time.Second
	// lastOrders is how long orders that are under way may go on once all is
	// healed. What has not ended then is compared as it stands.
	lastOrders = 25 * time.Second
	// The cast. Ways are short and everybody is in a hurry, so that orders end.
	perCity, speed, width = 10, 60, 0.08
)

// Config of a campaign.
type Config struct {
	Tiffin string // path of the product's binary
	NATS   string // path of nats-server, see rig.BuildNATS
	Dir    string // absolute, for data and logs
	Seed   uint64 // decides the faults; how they meet the processes is up to the machine
	For    time.Duration
	Rate   float64 // orders a second over all shards
	Log    *slog.Logger
}

// Report is what a campaign found.
type Report struct {
	Verdict
	Service Service
	Faults  map[string]int // that were inflicted, by kind and component
	Added   int            // requests that the added instance had answered when it was first seen at work
	AddedIn time.Duration  // after it had announced itself
	Quiet   time.Duration  // from the end of the orders to the last event's delivery
	Records Evidence       // that were compared
}

// OK tells whether the contract was kept.
func (r Report) OK() bool { return r.Verdict.OK() && r.Service.OK() }

// String is for people.
func (r Report) String() string {
	total := 0
	for _, n := range r.Faults {
		total += n
	}
	return fmt.Sprintf("%d faults; an added instance was at work after %s; quiet after %s\n%s\n%s",
		total, r.AddedIn.Round(time.Millisecond), r.Quiet.Round(time.Millisecond), r.Verdict, r.Service)
}

// campaign is one run.
type campaign struct {
	Config
	*plant
	ledger *ledger
	report Report

	mu     sync.Mutex
	faults []inflicted
}

// Run runs a campaign. An error means that it could not be carried through, or
// that events were not delivered in time.
func Run(ctx context.Context, c Config) (r Report, err error) {
	p, err := build(ctx, c)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	c.Log.Info("everything runs", "seed", c.Seed, "logs", c.Dir, "edge", p.balancer.url())
	run := &campaign{Config: c, plant: p, ledger: newLedger(), report: Report{Faults: map[string]int{}}}
	if err := run.suffer(ctx); err != nil {
		return r, err
	}
	began := time.Now()
	if err := consumer.AwaitQuiet(ctx, p.shards, p.ops); err != nil {
		return r, err
	}
	run.report.Quiet = time.Since(began)
	return run.report, run.compare(ctx)
}

// suffer lets people play and faults happen. On return everything runs, and
// everybody has gone home.
func (c *campaign) suffer(ctx context.Context) error {
	out, err := os.Create(filepath.Join(c.Dir, "sim.log"))
	if err != nil {
		return err
	}
	defer out.Close()
	evening, goHome := context.WithCancel(ctx)
	defer goHome()
	group, running := errgroup.WithContext(evening)
	group.Go(func() error {
		return sim.Run(running, sim.Config{
			Edge: c.balancer.url(), OrdersPerMinute: 60 * c.Rate, Speed: speed, Width: width, Seed: c.Seed + 1,
			Customers: perCity, Riders: perCity, Witness: c.ledger, Out: out,
			For: c.For + calm,
		})
	})
	group.Go(func() error {
		defer goHome()
		if err := c.awaitOrders(running); err != nil {
			return err
		}
		if err := c.hurt(running); err != nil {
			return err
		}
		fault.Wait(running, lastOrders)
		return nil
	})
	return group.Wait()
}

// castTimeout is how long it may take until everybody is signed in and the first
// order placed.
const castTimeout = 2 * time.Minute

// awaitOrders returns when the evening has begun.
func (c *campaign) awaitOrders(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, castTimeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, p := range c.ledger.clients().Placed {
			if len(p.IDs) > 0 {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no order was placed: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// hurt adds an instance, and inflicts faults until the time is over.
func (c *campaign) hurt(ctx context.Context) (err error) {
	during, done := context.WithTimeout(ctx, c.For)
	defer done()
	fault.Wait(during, calm)
	if c.report.Added, c.report.AddedIn, err = c.addInstance(ctx); err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return c.keepAll(during) })
	group.Go(func() error {
		return fault.Follow(during, newDeck(c.Seed), c.Log, func(f fault.Fault) error { return c.begin(running, f) },
			func(f fault.Fault) error { return c.end(running, f) })
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return c.keep(ctx)
}

// begin inflicts a fault and notes when. An instance is hurt when the others of
// its role answer: who is left alone cannot be told from who does not help.
func (c *campaign) begin(ctx context.Context, f fault.Fault) error {
	if role := roleOf(f.Target); role != "" {
		if err := c.awaitRole(ctx, role); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.faults = append(c.faults, inflicted{Fault: f, began: time.Now()})
	c.report.Faults[string(f.Kind)+" "+componentOf(f.Target)]++
	c.mu.Unlock()
	return c.strike(ctx, f)
}

// end heals it and notes when.
func (c *campaign) end(ctx context.Context, f fault.Fault) error {
	err := c.mend(ctx, f)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[len(c.faults)-1].ended = time.Now()
	return err
}

// compare collects what everybody knows and compares it.
func (c *campaign) compare(ctx context.Context) error {
	e := &c.report.Records
	e.Clients = c.ledger.clients()
	if err := c.collect(ctx, e); err != nil {
		return err
	}
	again, err := askAgain(ctx, c.balancer.url(), c.ledger.tokens(), e.Orders)
	if err != nil {
		return fmt.Errorf("asking again: %w", err)
	}
	e.Clients.Updates = append(e.Clients.Updates, again...)
	c.report.Verdict = Check(*e)
	route := c.shards.Router().RouteCity
	c.report.Service = Judge(c.ledger.attemptsMade(), c.faults, func(city string) Home {
		r := route(city)
		return Home{Region: string(r.Region), Shard: r.Shard}
	})
	return c.writeDown()
}

// writeDown leaves what went wrong beside the logs, for whoever has to find out
// why.
func (c *campaign) writeDown() error {
	var s strings.Builder
	for _, f := range c.faults {
		fmt.Fprintf(&s, "%s to %s %s\n", f.began.Format("15:04:05.000"), f.ended.Format("15:04:05.000"), f.Fault)
	}
	for _, r := range c.report.Service.Failures {
		fmt.Fprintln(&s, told(r))
	}
	fmt.Fprintln(&s, c.report)
	return os.WriteFile(filepath.Join(c.Dir, "report.txt"), []byte(s.String()), 0o600)
}
