package main

import (
	"log/slog"
	"os"

	"tiffin/config"
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
	// At a terminal only what needs attention, below the banner; while servers
	// are starting, that they are not there yet is no news.
	var people slog.LevelVar
	people.Set(slog.LevelError)
	return local.Up(i.Context, local.Config{
		Config: c, Out: os.Stdout, Console: console(c, &people), Hurry: i.Hurry,
		OnReady: func() { people.Set(max(slog.LevelWarn, logLevel(c))) },
	})
}
