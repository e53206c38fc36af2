package main

import (
	"errors"
	"log/slog"
	"slices"

	"tiffin/config"
	"tiffin/fleet"
)

// runCommand is `tiffin run`.
type runCommand struct {
	Check bool     `help:"Check the environment for these roles, and start nothing."`
	Roles []string `arg:"" name:"role" help:"edge, auth, order, restaurant, delivery, tracking or bridge; any number of them."`
}

// errHurry ends a drain that somebody has cut short.
var errHurry = errors.New("stopped before everything had drained")

// Run runs the roles until a signal, and fails when one of them is lost for
// good, so that whoever supervises this process starts it again.
func (r runCommand) Run(i *invocation) error {
	c, err := config.Load()
	if err != nil {
		return err
	}
	if r.Check {
		return fleet.Config{Config: c, Roles: r.Roles}.Validate()
	}
	stderr := console(logLevel(c))
	defer stderr.Close()
	if !slices.Equal(r.Roles, []string{"bridge"}) { // nobody waits for a bridge
		go fleet.PaceCollector(i.Context)
	}
	done := make(chan error, 1)
	go func() {
		done <- fleet.Run(i.Context, fleet.Config{Config: c, Roles: r.Roles, Log: slog.New(stderr.Handler())})
	}()
	select {
	case err := <-done:
		return err
	case <-i.Hurry:
		return errHurry
	}
}
