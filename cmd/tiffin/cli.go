package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"tiffin/config"
	"tiffin/telemetry"
)

// commands is the command line; each command is a file of its own and has a
// Run method that takes what it needs of invocation.
type commands struct {
	Up      upCommand      `cmd:"" help:"Start every server and the whole fleet on this machine."`
	Run     runCommand     `cmd:"" help:"Run single roles against servers named in the environment."`
	Shard   shardCommand   `cmd:"" help:"Show, route and move regions."`
	Bridge  bridgeCommand  `cmd:"" help:"Replay events to RabbitMQ, handle dead letters, prove that nothing is lost."`
	Keys    keysCommand    `cmd:"" help:"Make and replace the keys of personal data."`
	Admin   adminCommand   `cmd:"" help:"Manage administrators."`
	Sim     simCommand     `cmd:"" help:"Play customers, kitchens and riders against a running fleet."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// invocation is what commands get besides their flags.
type invocation struct {
	// Context ends at the first SIGINT or SIGTERM.
	Context context.Context
	// Hurry is closed at the second.
	Hurry <-chan struct{}
}

// run parses the command line and runs the command.
func run(args []string) error {
	parser, err := kong.New(&commands{}, kong.Name("tiffin"),
		kong.Description("A food-delivery backend as a NATS-native service fleet."), kong.UsageOnError())
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	ctx, hurry, stop := signals()
	defer stop()
	return command.Run(&invocation{Context: ctx, Hurry: hurry})
}

// sameSignal is how close two signals are when they are one: at a terminal
// Ctrl-C reaches us directly, and once more through npx and just, which pass
// on what they get.
const sameSignal = time.Second

// signals turns the first SIGINT or SIGTERM into the end of a context and the
// next one into the closing of a channel.
func signals() (context.Context, <-chan struct{}, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	caught, hurry := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-caught
		cancel()
		for first := time.Now(); time.Since(first) < sameSignal; {
			<-caught
		}
		close(hurry)
	}()
	return ctx, hurry, func() {
		signal.Stop(caught)
		cancel()
	}
}

// console writes records of a level and above to standard error: text for people
// at a terminal, and JSON for everything else.
func console(level slog.Leveler) *telemetry.Sink {
	return telemetry.NewSink(os.Stderr, func(w io.Writer) slog.Handler {
		if isatty.IsTerminal(os.Stderr.Fd()) {
			return slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})
		}
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	})
}

// logLevel is LOG_LEVEL; config.Validate has refused what is none.
func logLevel(c config.Config) slog.Level {
	var level slog.Level
	if level.UnmarshalText([]byte(c.LogLevel)) != nil {
		return slog.LevelInfo
	}
	return level
}
