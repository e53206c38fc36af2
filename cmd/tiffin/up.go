package main

import (
	"log/slog"
	"os"

	"tiffin/config"
	"tiffin/fleet"
	"tiffin/local"
)

// upCommand is `tiffin up`.
type upCommand struct{}

// Run starts everything and returns when it has stopped.
func (upCommand) Run(i *invocation) error {
	c, err := config.Load()
	if err != nil {
		return err
	}
	// Only what needs attention, since all of it is in a file; while servers are
	// starting, that they are not there yet is no news.
	var attention slog.LevelVar
	attention.Set(slog.LevelError)
	stderr := console(&attention)
	defer stderr.Close()
	go fleet.PaceCollector(i.Context)
	return local.Up(i.Context, local.Config{
		Config: c, Out: os.Stdout, Console: stderr.Handler(), Hurry: i.Hurry,
		OnReady: func() { attention.Set(max(slog.LevelWarn, logLevel(c))) },
	})
}
