package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"tiffin/bench/proc"
	"tiffin/bench/report"
	"tiffin/e2e/product"
)

// idleFor is how long the resting fleet is watched.
const idleFor = 20 * time.Second

// startSuite measures what `tiffin up` costs before anybody comes: the time to
// the first ready answer from an empty folder, and memory and processor of the
// process that holds all roles and NATS while nothing happens.
func startSuite(ctx context.Context, s stage) ([]report.Figure, error) {
	var took, memory, cpu []float64
	for round := range s.Rounds {
		up, mib, percent, err := startOnce(ctx, s.Traces, s.Binary, filepath.Join(s.Dir, "start"+strconv.Itoa(round)))
		if err != nil {
			return nil, err
		}
		fmt.Printf("round %d  up %.1f s  idle %.0f MiB  %.2f %% of a core\n", round+1, up, mib, percent)
		took, memory, cpu = append(took, up), append(memory, mib), append(cpu, percent)
	}
	return []report.Figure{
		report.New("tiffin up to ready, everything built", "", "s", report.Goal{AtMost: 15}, took, nil),
		report.New("idle fleet, memory", "", "MiB", report.Goal{AtMost: 120}, memory, nil),
		report.New("idle fleet, processor", "", "% of a core", report.Goal{AtMost: 2}, cpu, nil),
	}, nil
}

func startOnce(ctx context.Context, traces *collector, binary, home string) (up, mib, percent float64, err error) {
	fleet, err := product.Start(product.Options{Binary: binary, Home: home, Env: traces.env()})
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, fleet.Stop()) }()
	// Demo data is written and its events are carried through in the first seconds.
	if err := rest(ctx, idleFor/2); err != nil {
		return 0, 0, 0, err
	}
	before, err := proc.CPU(fleet.Pid())
	if err != nil {
		return 0, 0, 0, err
	}
	if err := rest(ctx, idleFor); err != nil {
		return 0, 0, 0, err
	}
	after, err := proc.CPU(fleet.Pid())
	if err != nil {
		return 0, 0, 0, err
	}
	resident, err := proc.Resident(fleet.Pid())
	return fleet.Took.Seconds(), float64(resident) / (1 << 20), 100 * (after - before).Seconds() / idleFor.Seconds(), err
}

// rest lets time pass.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
