package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tiffin/bench/report"
)

// The soak's crowd: enough to leak visibly, little enough to run beside other
// work for as long as one likes.
const (
	soakRate  = 2_000 // deliveries per second
	soakGuest = 50    // clients who come and leave again every soakVisit
	soakVisit = 2 * time.Second
	soakLook  = 10 * time.Second
)

// soakSuite plays to an edge for as long as asked, with guests coming and going all
// the time, and compares its memory and goroutines in the last third with
// those of the second: what leaks keeps growing. Each round has an edge of its own.
func soakSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	c, err := gather(ctx, s, bothCores)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	rounds := make([][]look, s.Rounds)
	for i := range rounds {
		if rounds[i], err = c.soak(ctx, s.Soak); err != nil {
			return nil, err
		}
	}
	growth := func(name string, value func(look) float64) report.Figure {
		ratios := make([]float64, len(rounds))
		for i, looks := range rounds {
			third := len(looks) / 3
			ratios[i] = mean(looks[2*third:], value) / mean(looks[third:2*third], value)
		}
		return report.New(name+", last third of "+s.Soak.String()+" ÷ second", "", "×", report.Goal{AtMost: 1.05}, ratios, rounds)
	}
	return []report.Figure{
		growth("resident memory", func(l look) float64 { return l.Resident }),
		growth("heap in use", func(l look) float64 { return l.Heap }),
		growth("goroutines", func(l look) float64 { return l.Goroutines }),
	}, nil
}

// soak plays to a new edge, and looks at it now and then.
func (c *crowd) soak(ctx context.Context, d time.Duration) (looks []look, err error) {
	edge, err := c.edge(bothCores)
	if err != nil {
		return nil, err
	}
	a, err := edge.attend(watchers)
	if err != nil {
		return nil, err
	}
	defer a.close()
	visits, stopVisits := context.WithCancel(ctx)
	guests := make(chan error, 1)
	go func() { guests <- edge.visit(visits) }()
	defer func() { stopVisits(); err = errors.Join(err, <-guests) }()
	for began := time.Now(); time.Since(began) < d; {
		got, err := a.play(ctx, pace{Rate: soakRate, Measure: soakLook})
		if err != nil {
			return nil, err
		}
		l, err := edge.look(ctx)
		if err != nil {
			return nil, err
		}
		looks = append(looks, l)
		fmt.Printf("%6s  %5.1f MiB  heap %5.1f MiB  %5.0f goroutines  %5.0f deliveries/s  p99 %.1f ms\n",
			time.Since(began).Round(time.Second), l.Resident, l.Heap, l.Goroutines, got.PerSecond, ms(got.P99))
	}
	return looks, nil
}

// visit has guests connect, follow an order and break off, until ctx ends.
func (s *server) visit(ctx context.Context) error {
	for ctx.Err() == nil {
		conns, err := s.follow(soakGuest)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(soakVisit):
		}
		for _, conn := range conns {
			conn.Close()
		}
	}
	return nil
}

// look is the state of an edge at one moment; memory is in MiB.
type look struct{ Resident, Heap, Goroutines float64 }

// look reads what the edge says about itself at /metrics.
func (s *server) look(ctx context.Context) (l look, err error) {
	kib, err := resident(s)
	if err != nil {
		return l, err
	}
	l.Resident = kib / 1024
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/metrics", nil)
	if err != nil {
		return l, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return l, err
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		switch name {
		case "go_goroutines":
			l.Goroutines = n
		case "go_memstats_heap_inuse_bytes":
			l.Heap = n / (1 << 20)
		}
	}
	if l.Goroutines == 0 || l.Heap == 0 {
		return l, errors.New("the edge's metrics lack goroutines or heap")
	}
	return l, nil
}

// mean of at least one look.
func mean(looks []look, value func(look) float64) (sum float64) {
	for _, l := range looks {
		sum += value(l)
	}
	return sum / float64(len(looks))
}
