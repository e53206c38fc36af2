// Command bench measures what Tiffin exists for beside a peer or a ceiling in
// the same run, prints one table of ratios and keeps every round as JSON.
// docs/performance.md explains the figures.
//
// Usage: go run ./bench [suite...], with suites rest (default: all).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"tiffin/bench/report"
	"tiffin/e2e/product"
)

// suites by name; each starts what it needs and stops it.
var suites = map[string]func(context.Context, stage) ([]report.Figure, error){
	"rest": restSuite,
}

// stage is where a suite plays: a scratch folder and the binary under test.
type stage struct {
	Dir    string
	Binary string
	Rounds int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) (err error) {
	if len(names) == 0 {
		for name := range suites {
			names = append(names, name)
		}
	}
	dir, err := os.MkdirTemp("", "tiffin-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	binary, err := product.Build(".", dir, false)
	if err != nil {
		return err
	}
	for _, name := range names {
		suite, ok := suites[name]
		if !ok {
			return fmt.Errorf("no suite %q", name)
		}
		figures, err := suite(ctx, stage{Dir: filepath.Clean(dir), Binary: binary, Rounds: 3})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := report.Print(os.Stdout, figures); err != nil {
			return err
		}
		path, err := report.Save("bench/results", name, figures)
		if err != nil {
			return err
		}
		fmt.Println("every round:", path)
	}
	return nil
}
