package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tiffin/bench/load"
	"tiffin/bench/report"
)

// routesSuite measures the contract's other routes: their top rates, and p99 at
// half of each. They have no peers; the hot three, which have, are in restSuite.
func routesSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	w, err := openWorld(ctx, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.fleet.Stop()) }()
	all := w.routes()
	rounds := table{}
	for round := range s.Rounds {
		for _, r := range all {
			top, half, err := w.measure(ctx, r)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			fmt.Printf("round %d  %-38s %7.0f/s  p50 %6.1f ms  p99 %6.1f ms   at half of it  p50 %6.1f ms  p99 %6.1f ms\n",
				round+1, r.name, top.Throughput, ms(top.P50), ms(top.P99), ms(half.P50), ms(half.P99))
			rounds[r.name] = append(rounds[r.name], outcome{Result: top})
			rounds[r.name+halved] = append(rounds[r.name+halved], outcome{Result: half})
		}
	}
	for _, r := range all {
		var rates []float64
		for _, top := range rounds[r.name] {
			rates = append(rates, top.Throughput)
		}
		figures = append(figures,
			report.New(r.name, "", "/s", report.Goal{}, rates, rounds[r.name]),
			rounds.p99(r.name+", p99 at half its top rate", r.name+halved, report.Goal{AtMost: 15}))
	}
	return figures, nil
}

// measure runs one route as fast as it goes, and at half of that.
func (w *world) measure(ctx context.Context, r route) (top, half load.Result, err error) {
	plan := load.Plan{Connections: connections, Warmup: 500 * time.Millisecond, Duration: 3 * time.Second, Prepare: r.prepare, OK: r.ok}
	if r.clients > 0 {
		plan.Connections = r.clients
	}
	if r.supply != nil {
		n, err := r.supply(ctx)
		if err != nil {
			return top, half, fmt.Errorf("what it uses up: %w", err)
		}
		if plan.Limit = uint64(n / 2); n > 0 {
			plan.Warmup = 0 // which would use most of it up
		}
	}
	edge := strings.TrimPrefix(w.fleet.Edge, "http://")
	if top = load.Run(ctx, edge, plan); failed(top) == nil {
		plan.Rate = top.Throughput / 2
		half = load.Run(ctx, edge, plan)
	}
	return top, half, errors.Join(failed(top), failed(half), ctx.Err())
}

// failed is why a run measured nothing, or something else than it should.
func failed(r load.Result) error {
	if r.Errors > 0 || (r.Requests == 0 && r.Sent > 0) {
		return fmt.Errorf("%d of %d requests failed: %s", r.Errors, r.Requests, r.FirstError)
	}
	return nil
}
