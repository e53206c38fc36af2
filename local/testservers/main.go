// Command testservers starts the servers that tests need, runs a command that
// uses them and ends everything:
//
//	go run ./local/testservers -- go test -race ./...
//
// Without it, tests start the same servers themselves, through -hold.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"tiffin/local/backing"
	"tiffin/local/testenv/holder"
)

// idle is how long a holder that tests started waits for the next one: long
// enough to span two runs by hand, short enough to be forgotten.
const idle = 60 * time.Second

func main() {
	hold := flag.String("hold", "", "serve this folder until nobody needs it, instead of running a command")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code, err := run(ctx, *hold, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testservers:", err)
	}
	os.Exit(code)
}

func run(ctx context.Context, dir string, command []string) (int, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	switch {
	case dir != "":
		return status(holder.Serve(ctx, holder.Config{Dir: dir, Idle: idle, Log: log}, func() {
			// Whoever started us waits for the end of our output.
			if err := os.Stdout.Close(); err != nil {
				log.Warn("closing standard output", "error", err)
			}
		}))
	case len(command) > 0:
		return around(ctx, log, command)
	}
	return 2, errors.New("usage: testservers -- command [argument...]")
}

// around runs the command with servers of its own and returns its exit code.
func around(ctx context.Context, log *slog.Logger, command []string) (int, error) {
	// Before the command, so that what it starts finds the tool.
	if err := holder.BuildFerret(ctx); err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "tiffin-testservers-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listening, served := make(chan struct{}), make(chan error, 1)
	go func() {
		served <- holder.Serve(ctx, holder.Config{Dir: dir, Eager: true, Log: log}, func() { close(listening) })
	}()
	select {
	case <-listening:
	case err := <-served:
		return status(err)
	}
	code, err := execute(ctx, command, filepath.Join(dir, holder.Socket))
	cancel()
	return code, errors.Join(err, <-served)
}

// execute runs the command in the foreground. On a signal it gets the signal
// too, and the time to end by itself.
func execute(ctx context.Context, command []string, socket string) (int, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), holder.SocketVariable+"="+socket)
	if cache, err := backing.ToolCache(); err == nil {
		cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH")+":"+cache)
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), nil
	}
	return status(err)
}

func status(err error) (int, error) {
	if err != nil {
		return 1, err
	}
	return 0, nil
}
