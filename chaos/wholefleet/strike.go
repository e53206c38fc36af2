package wholefleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tiffin/chaos/fault"
	"tiffin/local/rig"
)

// hold keeps keep from starting a target, and gives its process.
func (p *plant) hold(target string, yes bool) *rig.Server {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[target] = yes
	return p.servers[target]
}

// keep starts what has ended by itself again, as a supervisor does.
func (p *plant) keep(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for target, server := range p.servers {
		if p.held[target] || server.Running() {
			continue
		}
		if err := start(ctx, server); err != nil && ctx.Err() == nil {
			return fmt.Errorf("start %s again: %w", target, err)
		}
	}
	return nil
}

// keepAll is the supervisor of the processes.
func (p *plant) keepAll(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := p.keep(ctx); err != nil {
				return err
			}
		}
	}
}

// start tries twice: RabbitMQ takes a minute on a machine that is short of time.
func start(ctx context.Context, server *rig.Server) error {
	if server.Start(ctx) == nil {
		return nil
	}
	return server.Start(ctx)
}

// strike begins a fault.
func (p *plant) strike(ctx context.Context, f fault.Fault) error {
	switch f.Kind {
	case fault.Kill:
		return p.hold(f.Target, true).Kill()
	case fault.Pause:
		server := p.hold(f.Target, true)
		if !server.Running() {
			return nil // it has ended just now; mend will see to it
		}
		return server.Pause()
	case fault.Fill:
		empty, err := p.fill(ctx, f.Target)
		p.fills[f.Target] = empty
		return err
	default:
		return p.eachLink(f, p.network.Disturb)
	}
}

// mend ends it.
func (p *plant) mend(ctx context.Context, f fault.Fault) error {
	switch f.Kind {
	case fault.Kill, fault.Pause:
		server := p.hold(f.Target, true)
		defer p.hold(f.Target, false)
		switch {
		case !server.Running():
			return start(ctx, server)
		case f.Kind == fault.Pause:
			return server.Resume()
		}
		return nil
	case fault.Fill:
		if empty := p.fills[f.Target]; empty != nil {
			return empty(ctx)
		}
		return nil
	default:
		return p.eachLink(f, func(f fault.Fault) error { return p.network.Heal(ctx, f) })
	}
}

// eachLink does something to all links of a target: an instance's to NATS, and
// an edge's to its clients; everybody's to a node of NATS; the one of a server.
func (p *plant) eachLink(f fault.Fault, do func(fault.Fault) error) error {
	var links []string
	role := roleOf(f.Target)
	switch {
	case role != "":
		for _, node := range numbered("nats", nodes) {
			links = append(links, f.Target+"→"+node)
		}
		if role == "edge" {
			links = append(links, "→"+f.Target)
		}
	case strings.HasPrefix(f.Target, "nats-"):
		for _, role := range roles {
			for _, name := range numbered(role, instances) {
				links = append(links, name+"→"+f.Target)
			}
		}
	default:
		links = []string{"→" + f.Target}
	}
	var errs []error
	for _, link := range links {
		errs = append(errs, do(fault.Fault{Kind: f.Kind, Target: link}))
	}
	return errors.Join(errs...)
}
