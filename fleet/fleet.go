package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"tiffin/config"
	"tiffin/micro"
)

// Roles are the names `tiffin run` accepts, in the order in which they start.
var Roles = []string{"auth", "restaurant", "order", "delivery", "tracking", "bridge", "edge"}

// Config says which roles to run against which servers.
type Config struct {
	// Config names the servers; NATS_URL is required, and what the roles need.
	Config config.Config
	// Roles to run in this process; each at most once.
	Roles []string
	Log   *slog.Logger
	// BeforeEdge, when set, runs once the other roles answer and before the edge
	// opens, with a client of the operator: what it does is there at the first
	// request. An error ends the fleet.
	BeforeEdge func(ctx context.Context, ops *micro.Client) error
}

// Run runs the roles until ctx ends and then drains them. It returns nil after
// a clean stop, and the reason when a role is lost for good, which ends the
// others too.
func Run(ctx context.Context, c Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	metrics := newRegistry()
	metrics.MustRegister(newCertificates(c.Config))
	sinks, log, err := c.openSinks(ctx, metrics)
	if err != nil {
		return err
	}
	defer sinks.close()
	c.Log = log
	probes, err := openProbes(ctx, c, metrics)
	if err != nil {
		return err
	}
	defer probes.close()
	d, err := connect(ctx, c, metrics, sinks.traces)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	defer d.close()
	services, err := d.build(ctx, c.Roles)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	probes.watch(d, services)
	return run(ctx, []stage{
		{roles: services.answer},
		{roles: services.relay},
		{roles: services.edge, before: func(ctx context.Context) error { return c.beforeEdge(ctx, d) }},
	}, d.lost, c.Log)
}

// unlessStopped forgets what failed because the process was told to stop while
// it was still starting: that is a clean stop too.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Validate names the variable that is missing for the roles asked for, or names
// files of TLS that cannot be used.
func (c Config) Validate() error {
	for i, role := range c.Roles {
		if !slices.Contains(Roles, role) {
			return fmt.Errorf("no role %q; there are %s", role, strings.Join(Roles, ", "))
		}
		if slices.Contains(c.Roles[:i], role) {
			return fmt.Errorf("role %q is named twice", role)
		}
	}
	if len(c.Roles) == 0 {
		return fmt.Errorf("no role named; there are %s", strings.Join(Roles, ", "))
	}
	for _, v := range []struct {
		variable, value string
		roles           []string
	}{
		{"NATS_URL", c.Config.NATSURL, Roles},
		{"REDIS_URL", c.Config.RedisURL, []string{"tracking", "edge"}},
		{"MONGODB_URL", c.Config.MongoURL, []string{"restaurant"}},
		{"RABBITMQ_URL", c.Config.RabbitMQURL, []string{"bridge"}},
	} {
		if role := c.first(v.roles); v.value == "" && role != "" {
			return fmt.Errorf("%s: not set, and role %s needs it", v.variable, role)
		}
	}
	if err := c.validateShards(); err != nil {
		return err
	}
	return c.validateTLS()
}

func (c Config) validateShards() error {
	role := c.first(sharded)
	for _, s := range c.Config.Shards {
		if role != "" && s.URL == "" {
			return fmt.Errorf("POSTGRES_SHARD_%s_URL: not set, and role %s needs it", strings.ToUpper(s.ID), role)
		}
	}
	return nil
}

// first returns the first of the roles that this process runs, or "".
func (c Config) first(roles []string) string {
	for _, role := range c.Roles {
		if slices.Contains(roles, role) {
			return role
		}
	}
	return ""
}
