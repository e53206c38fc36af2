// Command chaos runs a fault campaign against real processes and says whether
// the contract was kept.
//
//	go run ./chaos bridge [--seed N] [--for 5m] [--lose]
//
// The seed is printed; given again it inflicts the same faults. With --lose a
// message is taken out of the queue at the end, and the campaign must find that.
// The exit status is 0 when everything is as the contract says.
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
	"syscall"
	"time"

	"tiffin/chaos/eventplane"
	"tiffin/e2e/product"
	"tiffin/local/rig"
)

// longest bounds a campaign; starting and quiet take two minutes more at most.
const longest = 8 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) == 0 || args[0] != "bridge" {
		return errors.New("usage: chaos bridge [--seed N] [--for 5m] [--lose]")
	}
	flags := flag.NewFlagSet("chaos bridge", flag.ContinueOnError)
	c := eventplane.Config{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	flags.Uint64Var(&c.Seed, "seed", uint64(time.Now().UnixNano()), "decides the faults")
	flags.DurationVar(&c.For, "for", 5*time.Minute, "how long orders flow and faults happen, at most 8m")
	flags.BoolVar(&c.Lose, "lose", false, "take a message out of the queue, to see that it is missed")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if c.For > longest {
		return fmt.Errorf("--for %s is longer than %s", c.For, longest)
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
	fmt.Println("seed", c.Seed)
	return campaign(ctx, c, dir)
}

// campaign builds what is on trial, and tries it.
func campaign(ctx context.Context, c eventplane.Config, dir string) (err error) {
	if c.Tiffin, err = product.Build(".", dir, false); err != nil {
		return err
	}
	if c.NATS, err = rig.BuildNATS(ctx, ".", dir); err != nil {
		return err
	}
	c.Dir = filepath.Join(dir, "rig")
	report, err := eventplane.Run(ctx, c)
	if err != nil {
		return fmt.Errorf("seed %d: %w; logs in %s", c.Seed, err, dir)
	}
	fmt.Printf("%d faults; quiet after %s; %s\n", report.Faults, report.Quiet.Round(time.Millisecond), report.Verdict)
	if report.Lost != "" {
		fmt.Println("taken out on purpose:", report.Lost)
	}
	if !report.OK() {
		return fmt.Errorf("seed %d: the contract was broken; logs in %s", c.Seed, dir)
	}
	return nil
}
