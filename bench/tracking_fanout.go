package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiffin/bench/proc"
	"tiffin/bench/report"
)

// The rates at which servers are compared, in deliveries per second. The
// highest a machine can do is too noisy to be a goal.
const (
	calmRate = 20_000
	busyRate = 40_000
)

// fanoutPart compares what a delivery costs and how long it takes.
func fanoutPart(ctx context.Context, s stage) (figures []report.Figure, err error) {
	c, err := gather(ctx, s, loadCore)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	// First the servers, then the clients: a peer that is built now, for the first
	// time, takes longer than a server waits for its clients' heartbeats.
	var servers []*server
	for _, start := range []func() (*server, error){
		func() (*server, error) { return c.edge(serverCore) },
		c.socketIOPeer,
		func() (*server, error) { return c.centrifugePeer(ctx) },
		func() (*server, error) { return c.barePeer(ctx) },
	} {
		server, err := start()
		if err != nil {
			return nil, err
		}
		servers = append(servers, server)
	}
	var crowd []*audience
	for _, server := range servers {
		a, err := server.attend(watchers)
		if err != nil {
			return nil, err
		}
		defer a.close()
		crowd = append(crowd, a)
	}
	results := deliveries{}
	for range s.Rounds {
		for _, rate := range []float64{calmRate, busyRate} {
			if err := results.round(ctx, crowd, pace{Rate: rate, Warmup: time.Second, Measure: 4 * time.Second}); err != nil {
				return nil, err
			}
		}
	}
	cpu := func(d delivery) float64 { return d.CPU }
	p99 := func(d delivery) float64 { return d.P99.Seconds() }
	return []report.Figure{
		results.ratio("CPU at 20 000 deliveries/s", calmRate, "socket.io", report.Goal{AtMost: 0.7}, cpu),
		results.ratio("p99 at 40 000 deliveries/s", busyRate, "socket.io", report.Goal{AtMost: 0.3}, p99),
		results.ratio("CPU at 40 000 deliveries/s", busyRate, "bare", report.Goal{AtMost: 1.25}, cpu),
		results.ratio("CPU at 40 000 deliveries/s", busyRate, "centrifuge", report.Goal{}, cpu),
		results.ratio("p99 at 40 000 deliveries/s", busyRate, "centrifuge", report.Goal{}, p99),
	}, nil
}

// deliveries holds a result per rate, server and round.
type deliveries map[string][]delivery

func at(rate float64, server string) string { return fmt.Sprintf("%.0f %s", rate, server) }

// round plays to every audience once. The others only keep their connections
// meanwhile.
func (d deliveries) round(ctx context.Context, crowd []*audience, p pace) error {
	for _, a := range crowd {
		a.others = crowd
		got, err := a.play(ctx, p)
		if err != nil {
			return fmt.Errorf("%s: %w", a.server.name, err)
		}
		d.add(p.Rate, a.server.name, got)
		if err := a.idle(500 * time.Millisecond); err != nil { // what is still on its way
			return err
		}
	}
	return nil
}

// add keeps a result, and prints it.
func (d deliveries) add(rate float64, server string, got delivery) {
	key := at(rate, server)
	d[key] = append(d[key], got)
	fmt.Printf("%-22s %8.0f/s  server %3.0f %%  load %3.0f %%  p50 %7.1f ms  p99 %7.1f ms  age %7.1f ms\n",
		key, got.PerSecond, 100*got.CPU, 100*got.Load, ms(got.P50), ms(got.P99), ms(got.Age))
}

// ratio of Tiffin's values to a peer's, round by round.
func (d deliveries) ratio(name string, rate float64, peer string, goal report.Goal, value func(delivery) float64) report.Figure {
	ours, theirs := d[at(rate, "tiffin")], d[at(rate, peer)]
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = value(ours[i]) / value(theirs[i])
	}
	return report.New(name, peer, "×", goal, ratios, map[string][]delivery{"tiffin": ours, peer: theirs})
}

// resident is the memory of a server in KiB.
func resident(s *server) (float64, error) {
	n, err := proc.Resident(s.pid)
	return float64(n) / 1024, err
}
