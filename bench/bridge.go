package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"strconv"

	"tiffin/bench/orderevents"
	"tiffin/bench/report"
	"tiffin/local/rig"
)

// bridgeParts are what the suite bridge consists of.
var bridgeParts = map[string]func(context.Context, stage) ([]report.Figure, error){
	"drain": drainSuite, "idle": idleSuite, "latency": latencySuite,
}

// bridgeSuite is the whole way of an event out of the fleet.
func bridgeSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	for _, part := range []func(context.Context, stage) ([]report.Figure, error){drainSuite, idleSuite, latencySuite} {
		more, err := part(ctx, s)
		if err != nil {
			return nil, err
		}
		figures = append(figures, more...)
	}
	return figures, nil
}

// drainEvents is what one drain moves: enough to leave the broker's warm-up
// behind.
const drainEvents = 100_000

// windows are the confirms in flight that the drain is tried with.
var windows = []int{1000, 4096}

// drainSuite drains the same stream through the bridge and its peers, round by
// round and interleaved. The first round looks for the window that drains
// fastest, the others stay with it.
func drainSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	d, err := openDrainer(ctx, s, "drain", orderevents.Make(drainEvents))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	peers, err := buildDrainPeers(ctx, s.Dir)
	if err != nil {
		return nil, err
	}
	results := map[string][]drained{}
	run := func(c contestant) (drained, error) {
		r, err := d.drain(ctx, c)
		if err == nil {
			results[c.name] = append(results[c.name], r)
			fmt.Printf("%-22s %7.0f/s  %5.2f CPU-s  %6.1f MiB, %.1f its own  %d overtaken\n", c.name, r.PerSecond, r.CPUSeconds, r.PeakMiB, r.OwnMiB, r.Overtaken)
		}
		return r, err
	}
	best, fastest, tried := 0, 0.0, windows
	for range s.Rounds {
		for _, window := range tried {
			if _, err := run(peers.alone(d, window)); err != nil {
				return nil, err
			}
			r, err := run(d.bridge(s.Binary, window))
			if err != nil {
				return nil, err
			}
			if r.PerSecond > fastest {
				best, fastest = window, r.PerSecond
			}
		}
		if _, err := run(peers.watermill(d)); err != nil {
			return nil, err
		}
		tried = []int{best}
	}
	return drainFigures(results, best), nil
}

// drainFigures compares the rounds of the best window.
func drainFigures(results map[string][]drained, window int) []report.Figure {
	ours, alone, watermill := results[bridgeName(window)], results[aloneName(window)], results["watermill"]
	pick := func(of func(drained) float64) (values []float64) {
		for _, r := range ours {
			values = append(values, of(r))
		}
		return values
	}
	ratio := func(peer []drained) (values []float64) {
		for i, r := range ours {
			values = append(values, r.PerSecond/peer[i].PerSecond)
		}
		return values
	}
	name := fmt.Sprintf("drain, window %d", window)
	return []report.Figure{
		report.New(name, "amqp091-go alone", "×", report.Goal{AtLeast: 0.95}, ratio(alone), results),
		report.New(name, "Watermill", "×", report.Goal{AtLeast: 5}, ratio(watermill), nil),
		report.New("CPU per 100 000 events", "", "s", report.Goal{AtMost: 2.2}, pick(func(r drained) float64 { return r.CPUSeconds }), nil),
		report.New("peak memory, backlog 100 000", "", "MiB", report.Goal{AtMost: 48}, pick(func(r drained) float64 { return r.PeakMiB }), nil),
		report.New("  without its binary's pages", "", "MiB", report.Goal{AtMost: 48}, pick(func(r drained) float64 { return r.OwnMiB }), nil),
	}
}

// contestant is one way from the stream, or from memory, to the queue.
type contestant struct {
	name    string
	ordered bool // it promises order per key, which is then checked
	start   func(context.Context) (*rig.Server, error)
}

func bridgeName(window int) string { return fmt.Sprintf("bridge, window %d", window) }
func aloneName(window int) string  { return fmt.Sprintf("amqp091, window %d", window) }

// bridge is the product's own role, in a process of its own.
func (d *drainer) bridge(binary string, window int) contestant {
	env := rig.NATSEnv()
	env["NATS_URL"], env["RABBITMQ_URL"], env["BRIDGE_WINDOW"] = d.nats.URL, d.rabbit.URL, strconv.Itoa(window)
	maps.Copy(env, d.traces.env())
	return contestant{name: bridgeName(window), ordered: true, start: func(ctx context.Context) (*rig.Server, error) {
		return d.rig.Program(ctx, "bridge", binary, env, "run", "bridge")
	}}
}

// drainPeers are the binaries of the bridge's peers.
type drainPeers struct{ aloneBinary, watermillBinary string }

func buildDrainPeers(ctx context.Context, dir string) (p drainPeers, err error) {
	if p.aloneBinary, err = buildPeer(ctx, dir, "amqpalone", "-C", ".", "./bench/peers/amqpalone"); err != nil {
		return p, err
	}
	p.watermillBinary, err = buildPeer(ctx, dir, "watermill", "-C", "bench/peers/watermill", ".")
	return p, err
}

// buildPeer compiles a package in the module of a folder.
func buildPeer(ctx context.Context, dir, name, flag, module, pkg string) (binary string, err error) {
	binary = filepath.Join(dir, name)
	if out, err := exec.CommandContext(ctx, "go", "build", flag, module, "-buildvcs=false", "-o", binary, pkg).CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, out)
	}
	return binary, nil
}

// alone is the ceiling: no NATS at all.
func (p drainPeers) alone(d *drainer, window int) contestant {
	return contestant{name: aloneName(window), ordered: true, start: func(ctx context.Context) (*rig.Server, error) {
		return d.rig.Program(ctx, "amqpalone", p.aloneBinary, nil, d.rabbit.URL, strconv.Itoa(drainEvents), strconv.Itoa(window))
	}}
}

// watermill is the tool people use.
func (p drainPeers) watermill(d *drainer) contestant {
	return contestant{name: "watermill", start: func(ctx context.Context) (*rig.Server, error) {
		return d.rig.Program(ctx, "watermill", p.watermillBinary, nil, d.nats.URL, "ops", rig.NATSPassword("ops"), d.rabbit.URL)
	}}
}
