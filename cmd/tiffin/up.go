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
	return local.Up(i.Context, local.Config{
		// At a terminal only what needs attention, below the banner.
		Config: c, Out: os.Stdout, Console: console(c, slog.LevelWarn), Hurry: i.Hurry,
	})
}
