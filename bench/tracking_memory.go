package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiffin/bench/report"
)

// idlers is how many connections memory is measured with; each follows an
// order and hears nothing but heartbeats.
const idlers = 10_000

// memoryPart measures what an idle connection weighs.
func memoryPart(ctx context.Context, s stage) (figures []report.Figure, err error) {
	c, err := gather(ctx, s, bothCores)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for _, peer := range []struct {
		start func() (*server, error)
		goal  report.Goal
	}{
		{func() (*server, error) { return c.edge(serverCore) }, report.Goal{AtMost: 20}},
		{c.socketIOPeer, report.Goal{}},
		{func() (*server, error) { return c.centrifugePeer(ctx) }, report.Goal{}},
		{func() (*server, error) { return c.barePeer(ctx) }, report.Goal{}},
	} {
		var weights []float64
		name := ""
		for range s.Rounds {
			server, err := peer.start()
			if err != nil {
				return nil, err
			}
			weight, err := weigh(server)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", server.name, err)
			}
			weights, name = append(weights, weight), server.name
			fmt.Printf("%-12s %6.1f KiB for each of %d idle connections\n", name, weight, idlers)
		}
		figures = append(figures, report.New("memory of an idle connection: "+name, "", "KiB", peer.goal, weights, nil))
	}
	return figures, ctx.Err()
}

// weigh connects the idlers to a fresh server and gives what each adds to its
// resident memory, in KiB, after half a minute in which all were asked whether
// they live.
func weigh(s *server) (float64, error) {
	before, err := resident(s)
	if err != nil {
		return 0, err
	}
	a, err := s.attend(idlers)
	if err != nil {
		return 0, err
	}
	defer a.close()
	if err := a.idle(30 * time.Second); err != nil {
		return 0, err
	}
	after, err := resident(s)
	return (after - before) / idlers, err
}
