package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiffin/bench/report"
)

// sluggards never read; with the others they are as many as everywhere else.
const sluggards = watchers / 10

// slowPart measures what clients who never read cost the others and the edge.
func slowPart(ctx context.Context, s stage) (figures []report.Figure, err error) {
	c, err := gather(ctx, s, loadCore)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	// With Go's own target: the garbage that an edge under load keeps for two seconds is more than all the slow ones hold.
	edge, err := c.edge(serverCore, "GOGC=100")
	if err != nil {
		return nil, err
	}
	others, err := edge.attend(watchers - sluggards)
	if err != nil {
		return nil, err
	}
	defer others.close()
	results := deliveries{}
	// Long enough for the kernel's buffers to fill, for positions to be replaced, and for the edge to lose patience.
	p := pace{Rate: calmRate, Warmup: time.Second, Measure: 12 * time.Second}
	var ratios, weights []float64
	for range s.Rounds {
		without, err := others.play(ctx, p)
		if err != nil {
			return nil, err
		}
		results.add(p.Rate, "without", without)
		before, err := resident(edge)
		if err != nil {
			return nil, err
		}
		slow, err := edge.follow(sluggards)
		if err != nil {
			return nil, err
		}
		for _, conn := range slow {
			if err := conn.Shrink(); err != nil {
				return nil, err
			}
		}
		with, err := others.play(ctx, p)
		if err != nil {
			return nil, err
		}
		results.add(p.Rate, "with", with)
		after, err := resident(edge)
		if err != nil {
			return nil, err
		}
		for _, conn := range slow {
			conn.Close()
		}
		ratios, weights = append(ratios, with.P99.Seconds()/without.P99.Seconds()), append(weights, (after-before)/sluggards)
	}
	return []report.Figure{
		report.New(fmt.Sprintf("p99 of the others, %d of %d never reading", sluggards, watchers), "without them", "×", report.Goal{AtMost: 1.1}, ratios, results),
		report.New("memory of a socket whose client never reads", "", "KiB", report.Goal{AtMost: 256}, weights, nil),
	}, nil
}
