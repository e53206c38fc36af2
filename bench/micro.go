package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/perf/benchfmt"

	"tiffin/bench/report"
)

// hot are the functions that every request or event goes through, by the
// package of their benchmark.
var hot = []struct{ pkg, pattern string }{
	{"./shard", "RouteCity|RouteEmail|NewID|RouteID"},
	{"./wire", "Decode|Encode"},
	{"./services/auth/token", "Verify"},
	{"./services/edge/rest", "RememberedToken"},
	{"./services/edge/realtime/socketio", "Parse|Append"},
	{"./services/edge/realtime/engineio", "ParsePayload"},
	{"./services/edge/realtime/ws", "Parser"},
	{"./services/edge/realtime/frame", "LiveBothForms"},
	{"./services/edge/realtime/hub", "Broadcast"},
	{"./shard/outbox", "Append"},
	{"./micro", "EventEnvelope"},
}

// kitTime is how long each of the two echoes is asked, once a round.
const kitTime = "3s"

// microSuite runs the hot functions' benchmarks and the kit's endpoint beside
// plain nats.go/micro, both asked with the messages that an edge sends. What go
// test printed is kept beside the figures, for benchstat.
func microSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	var raw bytes.Buffer
	kit := map[string][]float64{}
	for range s.Rounds { // a process each, in turn
		for _, name := range []string{"Plain", "KitEndpoint", "Kit", "PlainBare", "KitEndpointBare"} {
			results, err := goBench(ctx, &raw, "./micro", "^Benchmark"+name+"$", "-benchtime", kitTime)
			if err != nil {
				return nil, err
			}
			perSecond, _ := results[0].Value("req/s")
			kit[name] = append(kit[name], perSecond)
			fmt.Printf("%-16s %8.0f req/s\n", name, perSecond)
		}
	}
	beside := func(name, plain string) (ratios []float64) {
		for i, v := range kit[name] {
			ratios = append(ratios, v/kit[plain][i])
		}
		return ratios
	}
	figures = append(figures,
		report.New("kit endpoint with everything on, 64 concurrent", "nats.go/micro echo", "×", report.Goal{AtLeast: 0.8}, beside("KitEndpoint", "Plain"), kit),
		report.New("the same, asked through the kit's client", "nats.go/micro echo", "×", report.Goal{}, beside("Kit", "Plain"), nil),
		report.New("the endpoint, asked without headers: each request begins a trace", "nats.go/micro echo, alike", "×", report.Goal{}, beside("KitEndpointBare", "PlainBare"), nil))
	for _, h := range hot {
		results, err := goBench(ctx, &raw, h.pkg, h.pattern, "-benchtime", "0.3s", "-count", strconv.Itoa(s.Rounds))
		if err != nil {
			return nil, err
		}
		figures = append(figures, functions(filepath.Base(h.pkg), results)...)
	}
	path := filepath.Join("bench/results", "micro-"+time.Now().UTC().Format("20060102T150405")+".txt")
	if err := errors.Join(os.MkdirAll("bench/results", 0o755), os.WriteFile(path, raw.Bytes(), 0o644)); err != nil {
		return nil, err
	}
	fmt.Println("for benchstat:", path)
	return figures, nil
}

// goBench runs the benchmarks of a package whose names match and keeps what
// was printed.
func goBench(ctx context.Context, raw *bytes.Buffer, pkg, pattern string, flags ...string) (results []*benchfmt.Result, err error) {
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"test", "-run", "^$", "-bench", pattern, "-benchmem"}, flags, []string{pkg})...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("benchmarks of %s: %w\n%s", pkg, err, out)
	}
	raw.Write(out)
	for reader := benchfmt.NewReader(bytes.NewReader(out), pkg); reader.Scan(); {
		if result, ok := reader.Result().(*benchfmt.Result); ok {
			results = append(results, result.Clone())
		}
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("%s has no benchmark %s", pkg, pattern)
	}
	return results, nil
}

// functions makes a figure of each benchmark: its time, with what it allocates
// in the name, which does not vary.
func functions(pkg string, results []*benchfmt.Result) (figures []report.Figure) {
	times, allocs := map[string][]float64{}, map[string]float64{}
	var names []string
	for _, r := range results {
		name := string(r.Name.Full())
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		perOp, _ := r.Value("sec/op")
		times[name] = append(times[name], perOp*1e9)
		n, _ := r.Value("allocs/op")
		allocs[name] = max(allocs[name], n)
	}
	slices.SortStableFunc(names, cmp.Compare)
	for _, name := range names {
		figures = append(figures, report.New(pkg+": "+name, fmt.Sprintf("%g allocations", allocs[name]), "ns", report.Goal{}, times[name], nil))
	}
	return figures
}
