// Command chaos runs a fault campaign against real processes and says whether
// the contract was kept.
//
//	just chaos [fleet] [--seed N] [--for 2m] [--rate 8]
//	just chaos bridge [--seed N] [--for 5m] [--lose]
//
// It runs in the project's folder, since it builds what it tries. The document
// store's binary is looked for beside this one.
//
// The campaign of the fleet is the whole fleet under fire; that of the bridge is
// the way of an event from its transaction to RabbitMQ, harder. The seed is
// printed; given again it inflicts the same faults. With --lose a message is
// taken out of the queue at the end, and the campaign must find that. The exit
// status is 0 when everything is as the contract says.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"tiffin/chaos/eventplane"
	"tiffin/chaos/wholefleet"
	"tiffin/e2e/product"
	"tiffin/local/rig"
)

// longest bounds a campaign; starting, quiet and comparing take minutes more,
// and fifteen in all are the end.
const (
	longest = 10 * time.Minute
	limit   = 15 * time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not through within %s", limit))
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// options are what both campaigns know.
type options struct {
	name string
	seed uint64
	long time.Duration
	rate float64
	lose bool
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tiffin-chaos-")
	if err != nil {
		return err
	}
	defer func() {
		// What went wrong is in the logs there.
		if err == nil {
			err = os.RemoveAll(dir)
		}
	}()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	fmt.Println("seed", o.seed)
	return o.campaign(ctx, dir)
}

// parse reads the command line. Without a name it is the fleet.
func parse(args []string) (o options, err error) {
	o.name = "fleet"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		o.name, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("chaos "+o.name, flag.ContinueOnError)
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "decides the faults")
	switch o.name {
	case "fleet":
		flags.DurationVar(&o.long, "for", 5*time.Minute, "how long faults happen, at most 10m")
		flags.Float64Var(&o.rate, "rate", 8, "orders a second, over all shards")
	case "bridge":
		flags.DurationVar(&o.long, "for", 5*time.Minute, "how long faults happen, at most 10m")
		flags.BoolVar(&o.lose, "lose", false, "take a message out of the queue, to see that it is missed")
	default:
		return o, errors.New("usage: chaos [fleet|bridge] [--seed N] [--for 5m] …")
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.long > longest {
		return o, fmt.Errorf("--for %s is longer than %s", o.long, longest)
	}
	return o, nil
}

// campaign builds what is on trial, and tries it.
func (o options) campaign(ctx context.Context, dir string) error {
	tiffin, err := product.Build(".", dir, false)
	if err != nil {
		return err
	}
	nats, err := rig.BuildNATS(ctx, ".", dir)
	if err != nil {
		return err
	}
	log, data := slog.New(slog.NewTextHandler(os.Stderr, nil)), filepath.Join(dir, "rig")
	var report interface {
		OK() bool
		String() string
	}
	if o.name == "bridge" {
		report, err = eventplane.Run(ctx, eventplane.Config{Tiffin: tiffin, NATS: nats, Dir: data, Seed: o.seed, For: o.long, Lose: o.lose, Log: log})
	} else {
		report, err = wholefleet.Run(ctx, wholefleet.Config{Tiffin: tiffin, NATS: nats, Dir: data, Seed: o.seed, For: o.long, Rate: o.rate, Log: log})
	}
	if err != nil {
		return fmt.Errorf("seed %d: %w; logs in %s", o.seed, err, dir)
	}
	fmt.Println(report)
	if !report.OK() {
		return fmt.Errorf("seed %d: the contract was broken; logs in %s", o.seed, dir)
	}
	return nil
}
