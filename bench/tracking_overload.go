package main

import (
	"context"
	"errors"
	"time"

	"tiffin/bench/report"
)

// overloadPart finds out how many deliveries a second saturate one core, what
// a second core adds, and how old positions get at twice what saturates.
func overloadPart(ctx context.Context, s stage) (figures []report.Figure, err error) {
	c, err := gather(ctx, s, loadCore)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	var crowd []*audience
	for _, cores := range []string{serverCore, bothCores} {
		server, err := c.edge(cores)
		if err != nil {
			return nil, err
		}
		server.name += " on " + cores
		a, err := server.attend(watchers)
		if err != nil {
			return nil, err
		}
		defer a.close()
		crowd = append(crowd, a)
	}
	results, flooded := deliveries{}, deliveries{}
	var scaling, perCore, ages []float64
	for range s.Rounds {
		full := pace{Warmup: time.Second, Measure: 5 * time.Second}
		if err := results.round(ctx, crowd, full); err != nil {
			return nil, err
		}
		one, all := last(results[at(0, crowd[0].server.name)]), last(results[at(0, crowd[1].server.name)])
		scaling = append(scaling, all.PerSecond/one.PerSecond)
		perCore = append(perCore, 2*(all.PerSecond/all.CPU)/(one.PerSecond/one.CPU))
		full.Rate = 2 * one.PerSecond
		got, err := crowd[0].play(ctx, full)
		if err != nil {
			return nil, err
		}
		flooded.add(full.Rate, "tiffin", got)
		ages = append(ages, ms(got.Age))
		if err := crowd[0].idle(time.Second); err != nil {
			return nil, err
		}
	}
	return []report.Figure{
		report.New("deliveries/s on all cores", "one core", "×", report.Goal{AtLeast: 1.7}, scaling, results),
		report.New("2 × deliveries per core-second on all cores", "one core", "×", report.Goal{}, perCore, nil),
		report.New("age of the newest position at 2 × saturation, p99", "", "ms", report.Goal{AtMost: 500}, ages, flooded),
	}, nil
}

func last[T any](list []T) T { return list[len(list)-1] }
