package eventplane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"tiffin/chaos/consumer"
	"tiffin/chaos/fault"
	"tiffin/local/rig"
	"tiffin/micro"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
)

// shardRegions is the default split of the regions.
var shardRegions = map[string][]string{"a": {"us-west", "ca"}, "b": {"us-east", "us-central"}, "c": {"us-south", "mx"}}

// plant is all processes of a campaign and the network between them. Only its
// methods know which process is meant to run at the moment.
type plant struct {
	rig     *rig.Rig
	network *fault.Network
	shards  *shard.Set // past the network: what is committed here is the truth
	rabbit  *rig.Server
	nats    *rig.Server

	mu      sync.Mutex
	servers map[string]*rig.Server // by target
	held    map[string]bool        // not to be started again by keep: a fault has it
}

// build starts everything, in an absolute folder, with the binaries of Tiffin
// and of nats-server.
func build(ctx context.Context, dir, tiffin, natsBinary string) (_ *plant, err error) {
	p := &plant{network: fault.NewNetwork(), servers: map[string]*rig.Server{}, held: map[string]bool{}}
	if p.rig, err = rig.Open(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	urls, err := p.databases(ctx)
	if err != nil {
		return nil, err
	}
	if p.nats, err = p.rig.NATS(ctx, natsBinary); err != nil {
		return nil, err
	}
	if p.rabbit, err = p.rig.RabbitMQ(ctx); err != nil {
		return nil, err
	}
	p.servers[natsServer], p.servers[broker] = p.nats, p.rabbit
	if err := p.queue().Declare(); err != nil {
		return nil, err
	}
	// RabbitMQ 3.10 forgets a quorum queue that was declared seconds before a
	// kill: its registry is written out later, or at a proper stop.
	p.rabbit.Stop()
	if err := p.rabbit.Start(ctx); err != nil {
		return nil, err
	}
	return p, p.roles(ctx, tiffin, urls)
}

// queue is the consumer's, which is read back at the end.
func (p *plant) queue() consumer.Queue { return consumer.Queue{URL: p.rabbit.URL, Name: "campaign"} }

// awaitQuiet waits until everything that was committed is delivered.
func (p *plant) awaitQuiet(ctx context.Context) error {
	ops, err := micro.Connect(micro.ConnConfig{URL: p.nats.URL, Role: "ops", Password: rig.NATSPassword("ops")})
	if err != nil {
		return err
	}
	defer ops.Close()
	return consumer.AwaitQuiet(ctx, p.shards, ops)
}

// databases starts shard a on a cluster of its own, which faults will meet, and
// the other two on another one, and gives the shards' URLs.
func (p *plant) databases(ctx context.Context) (map[string]string, error) {
	urls := map[string]string{}
	for _, id := range []string{"a", "b", "c"} {
		server, err := p.rig.Postgres(ctx, "postgres-"+id)
		if err != nil {
			return nil, err
		}
		p.servers["postgres-"+id], urls[id] = server, server.URL
	}
	var config shard.Config
	for _, id := range slices.Sorted(maps.Keys(urls)) {
		config.Shards = append(config.Shards, shard.ShardConfig{ID: id, URL: urls[id], Regions: shardRegions[id]})
	}
	router, err := shard.NewRouter(config)
	if err != nil {
		return nil, err
	}
	if p.shards, err = shard.Open(ctx, router, config, shard.Options{}); err != nil {
		return nil, err
	}
	if err := ordertx.Migrate(ctx, p.shards); err != nil {
		return nil, err
	}
	for _, db := range p.shards.All() {
		if _, err := db.Pool().Exec(ctx, `create table campaign_orders (id text primary key, events int not null)`); err != nil {
			return nil, err
		}
	}
	return urls, nil
}

// roles starts the relays and bridges, connected through the network.
func (p *plant) roles(ctx context.Context, tiffin string, urls map[string]string) error {
	through := map[string]string{}
	for name, to := range map[string]string{
		relayToPostgres: urls["a"], relayToNATS: p.nats.URL, bridgeToNATS: p.nats.URL, bridgeToBroker: p.rabbit.URL,
	} {
		port, err := p.rig.Port(26000)
		if err != nil {
			return err
		}
		if through[name], err = p.network.Link(name, to, port); err != nil {
			return err
		}
	}
	relay, bridge := rig.NATSEnv(), rig.NATSEnv()
	relay["NATS_URL"], bridge["NATS_URL"] = through[relayToNATS], through[bridgeToNATS]
	bridge["RABBITMQ_URL"] = through[bridgeToBroker]
	relay["POSTGRES_SHARD_A_URL"], relay["POSTGRES_SHARD_B_URL"], relay["POSTGRES_SHARD_C_URL"] = through[relayToPostgres], urls["b"], urls["c"]
	for _, role := range []struct {
		name, role string
		env        map[string]string
	}{{relayOne, "order", relay}, {relayTwo, "order", relay}, {bridgeOne, "bridge", bridge}, {bridgeTwo, "bridge", bridge}} {
		server, err := p.rig.Program(ctx, role.name, tiffin, role.env, "run", role.role)
		if err != nil {
			return err
		}
		p.servers[role.name] = server
	}
	return nil
}

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
		if err := server.Start(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("start %s again: %w", target, err)
		}
	}
	return nil
}

// strike kills or pauses a process.
func (p *plant) strike(f fault.Fault) error {
	server := p.hold(f.Target, true)
	switch f.Kind {
	case fault.Pause:
		if !server.Running() {
			return nil // it has ended just now; keep will see to it
		}
		return server.Pause()
	case fault.Wipe:
		return errors.Join(server.Kill(), os.RemoveAll(p.rig.NATSStore()))
	default:
		return server.Kill()
	}
}

// mend ends what strike began.
func (p *plant) mend(ctx context.Context, f fault.Fault) error {
	server := p.hold(f.Target, true)
	defer p.hold(f.Target, false)
	if f.Kind == fault.Pause && server.Running() {
		return server.Resume()
	}
	if server.Running() {
		return nil
	}
	return server.Start(ctx)
}

// close ends everything.
func (p *plant) close() error {
	if p.shards != nil {
		p.shards.Close()
	}
	return errors.Join(p.network.Close(), p.rig.Close())
}
