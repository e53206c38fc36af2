// Command bench measures what Tiffin exists for beside a peer or a ceiling in
// the same run, prints one table of ratios and keeps every round as JSON.
// docs/performance.md explains the figures.
//
// Usage: go run ./bench [-rounds n] [-for 200s] [suite...], with the suites
// start, rest, routes, dispatch, bridge, tracking, flat, micro and soak; without
// any, all of them, which takes about an hour. bridge/drain and
// bridge/latency are parts of bridge; tracking/fanout, tracking/overload,
// tracking/slow, tracking/memory and tracking/location of tracking.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tiffin/bench/report"
	"tiffin/e2e/product"
)

// suites by name; each starts what it needs and stops it.
var suites = map[string]func(context.Context, stage) ([]report.Figure, error){
	"bridge":   bridgeSuite,
	"rest":     restSuite,
	"routes":   routesSuite,
	"tracking": trackingSuite,
	"soak":     soakSuite,
	"start":    startSuite,
	"dispatch": dispatchSuite,
	"flat":     flatSuite,
	"micro":    microSuite,
}

// stage is where a suite plays: a scratch folder and the binary under test.
type stage struct {
	Dir    string
	Binary string
	Rounds int           // how often everything is measured
	Soak   time.Duration // how long a round of the suite soak plays
	Traces *collector    // of all fleets
}

// environment gives the variables of a fleet, more among them. Nothing is off: traces are sent, and limits are checked
// for every request, only too high to be reached by what comes from one address and few accounts.
func (s stage) environment(more map[string]string) map[string]string {
	const high = "1000000"
	env := s.Traces.env()
	maps.Copy(env, map[string]string{
		"TIFFIN_DEMO": "off", "RATE_LIMIT_GENERAL": high, "RATE_LIMIT_AUTH": high, "RATE_LIMIT_ORDERS": high, "RATE_LIMIT_LOCATION": high,
	})
	maps.Copy(env, more)
	return env
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	rounds := flag.Int("rounds", 3, "how often everything is measured")
	soak := flag.Duration("for", 200*time.Second, "how long each round of the suite soak plays")
	flag.Parse()
	if err := run(ctx, stage{Rounds: *rounds, Soak: *soak}, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s stage, names []string) (err error) {
	if len(names) == 0 {
		names = []string{"start", "rest", "routes", "dispatch", "bridge", "tracking", "flat", "micro", "soak"}
	}
	dir, err := os.MkdirTemp("", "tiffin-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	s.Traces = openCollector()
	defer func() { err = errors.Join(err, s.Traces.close()) }()
	s.Dir = filepath.Clean(dir)
	if s.Binary, err = product.Build(".", dir, false); err != nil {
		return err
	}
	return play(ctx, s, names)
}

// play runs the suites one after the other. One that fails does not stop the
// others; what was measured is printed as one table in the end.
func play(ctx context.Context, s stage, names []string) (err error) {
	var all []report.Figure
	for i, name := range names {
		suite, ok := suiteOf(name)
		if !ok {
			return fmt.Errorf("no suite %q", name)
		}
		// Of its own, or a fleet would find the orders of another part's.
		part := s
		part.Dir = filepath.Join(s.Dir, strconv.Itoa(i))
		if err := os.Mkdir(part.Dir, 0o755); err != nil {
			return err
		}
		figures, suiteErr := suite(ctx, part)
		if suiteErr != nil {
			suiteErr = fmt.Errorf("%s: %w", name, suiteErr)
			fmt.Fprintln(os.Stderr, "bench:", suiteErr) // the others take long
			err = errors.Join(err, suiteErr)
			continue
		}
		all = append(all, figures...)
		path, saveErr := report.Save("bench/results", strings.ReplaceAll(name, "/", "-"), figures)
		if err = errors.Join(err, saveErr); saveErr == nil {
			fmt.Println("every round:", path)
		}
	}
	if len(all) > 0 {
		err = errors.Join(err, report.Print(os.Stdout, all))
	}
	return err
}

// suiteOf finds a suite, or a part of one, by name.
func suiteOf(name string) (suite func(context.Context, stage) ([]report.Figure, error), ok bool) {
	suite, ok = suites[name]
	if part, found := strings.CutPrefix(name, "tracking/"); found {
		suite, ok = trackingParts[part]
	}
	if part, found := strings.CutPrefix(name, "bridge/"); found {
		suite, ok = bridgeParts[part]
	}
	return suite, ok
}
