package wholefleet

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"tiffin/chaos/fault"
	"tiffin/local/rig"
	"tiffin/micro"
	"tiffin/shard"
)

// shardRegions is the default split of the regions.
var shardRegions = map[string][]string{"a": {"us-west", "ca"}, "b": {"us-east", "us-central"}, "c": {"us-south", "mx"}}

// plant is all processes of a campaign and the network between them. Only its
// methods know which process is meant to run at the moment.
type plant struct {
	dir, tiffin string
	rig         *rig.Rig
	network     *fault.Network
	shards      *shard.Set // past the network, like everything the harness asks for itself
	ops         *nats.Conn
	balancer    *balancer

	mu      sync.Mutex
	servers map[string]*rig.Server // by target
	held    map[string]bool        // not to be started again by keep: a fault has it
	urls    map[string]string      // of servers, by way of the network, by target
	fills   map[string]func(context.Context) error
}

// build starts everything, in an absolute folder, with the binaries of Tiffin
// and of nats-server.
func build(ctx context.Context, c Config) (_ *plant, err error) {
	p := &plant{
		dir: c.Dir, tiffin: c.Tiffin, network: fault.NewNetwork(), servers: map[string]*rig.Server{}, held: map[string]bool{},
		urls: map[string]string{}, fills: map[string]func(context.Context) error{},
	}
	if p.rig, err = rig.Open(c.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return p.backing(ctx, c.NATS) }, p.openShards, p.declare, p.runRoles, p.await,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// backing starts the servers, each behind a link of the network.
func (p *plant) backing(ctx context.Context, binary string) error {
	cluster, err := p.rig.NATSCluster(ctx, binary, nodes)
	if err != nil {
		return err
	}
	for _, s := range cluster {
		p.servers[s.Name()] = s
	}
	for _, id := range slices.Sorted(maps.Keys(shardRegions)) {
		if p.servers[postgresPrefix+id], err = p.rig.Postgres(ctx, postgresPrefix+id); err != nil {
			return err
		}
	}
	store, err := p.rig.Postgres(ctx, documentsDisk)
	if err != nil {
		return err
	}
	p.servers[documentsDisk] = store
	if p.servers[documents], err = p.rig.FerretDB(ctx, store); err != nil {
		return err
	}
	if p.servers[redisServer], err = p.rig.Redis(ctx); err != nil {
		return err
	}
	if p.servers[broker], err = p.rig.RabbitMQ(ctx); err != nil {
		return err
	}
	for target, server := range p.servers {
		if target == documentsDisk || strings.HasPrefix(target, "nats-") {
			continue
		}
		if p.urls[target], err = p.link("→"+target, server.URL); err != nil {
			return err
		}
	}
	return nil
}

// documentsDisk is the PostgreSQL that the document store keeps its documents in.
const documentsDisk = "documents"

// link puts a link of the network before a server.
func (p *plant) link(name, to string) (string, error) {
	port, err := p.rig.Port(27000)
	if err != nil {
		return "", err
	}
	return p.network.Link(name, to, port)
}

// openShards connects the harness itself.
func (p *plant) openShards(ctx context.Context) error {
	var config shard.Config
	for _, id := range slices.Sorted(maps.Keys(shardRegions)) {
		config.Shards = append(config.Shards, shard.ShardConfig{ID: id, URL: p.servers[postgresPrefix+id].URL, Regions: shardRegions[id]})
	}
	router, err := shard.NewRouter(config)
	if err != nil {
		return err
	}
	if p.shards, err = shard.Open(ctx, router, config, shard.Options{}); err != nil {
		return err
	}
	var nodeURLs []string
	for _, node := range numbered("nats", nodes) {
		nodeURLs = append(nodeURLs, p.servers[node].URL)
	}
	p.ops, err = micro.Connect(micro.ConnConfig{URL: strings.Join(nodeURLs, ","), Role: "ops", Password: rig.NATSPassword("ops")})
	return err
}

// runRoles starts the instances of all roles and the balancer before the edges.
func (p *plant) runRoles(ctx context.Context) error {
	var edges []string
	for _, role := range roles {
		for _, name := range numbered(role, instances) {
			address, err := p.runRole(ctx, role, name)
			if err != nil {
				return err
			}
			if role == "edge" {
				edges = append(edges, address)
			}
		}
	}
	var err error
	p.balancer, err = newBalancer(edges)
	return err
}

// runRole starts one instance in a process of its own and gives, for an edge,
// where it is reached by way of the network.
func (p *plant) runRole(ctx context.Context, role, name string) (address string, err error) {
	env := p.environment()
	var nodeURLs []string
	for _, node := range numbered("nats", nodes) {
		through, err := p.link(name+"→"+node, p.servers[node].URL)
		if err != nil {
			return "", err
		}
		nodeURLs = append(nodeURLs, through)
	}
	env["NATS_URL"] = strings.Join(nodeURLs, ",")
	if role == "edge" {
		var ports [2]int
		for i := range ports {
			if ports[i], err = p.rig.Port(28500); err != nil {
				return "", err
			}
		}
		env["API_GATEWAY_PORT"], env["TRACKING_SERVICE_PORT"] = strconv.Itoa(ports[0]), strconv.Itoa(ports[1])
		direct := url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))}
		through, err := p.link("→"+name, direct.String())
		if err != nil {
			return "", err
		}
		address = strings.TrimPrefix(through, "http://")
	}
	server, err := p.rig.Program(ctx, name, p.tiffin, env, "run", role)
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers[name] = server
	return address, nil
}

// environment is what all roles share: as in production, but for hashes that cost
// little, no limits for the one address that everybody comes from, and the
// ports of the edge.
func (p *plant) environment() map[string]string {
	env := rig.NATSEnv()
	maps.Copy(env, map[string]string{
		"APP_ENV": "test", "LOG_LEVEL": "info",
		"JWT_SECRET": strings.Repeat("campaign", 5), "DATA_KEYS": "campaign:" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"BCRYPT_COST": "4", "RATE_LIMIT_EXEMPT": "127.0.0.0/8", "POSTGRES_POOL_SIZE": "8", "OFFER_TTL": "10s",
		"NATS_STREAM_REPLICAS": strconv.Itoa(nodes),
		"REDIS_URL":            p.urls[redisServer], "RABBITMQ_URL": p.urls[broker], "MONGODB_URL": p.urls[documents],
	})
	for id, regions := range shardRegions {
		env["POSTGRES_SHARD_"+strings.ToUpper(id)+"_URL"] = p.urls[postgresPrefix+id]
		env["SHARD_"+strings.ToUpper(id)+"_REGIONS"] = strings.Join(regions, ",")
	}
	return env
}

// readyTimeout is how long the whole fleet may take to start, on a machine that
// has other things to do.
const readyTimeout = 2 * time.Minute

// await returns once all instances of all roles answer.
func (p *plant) await(ctx context.Context) error {
	for _, role := range roles {
		if err := p.awaitRole(ctx, role); err != nil {
			return err
		}
	}
	return nil
}

// awaitRole returns once all instances of a role answer.
func (p *plant) awaitRole(ctx context.Context, role string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := p.answering(role)
		if err != nil || n >= instances {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d instances of %s answer after %s: %w", n, instances, role, readyTimeout, context.Cause(ctx))
		case <-tick.C:
			if err := p.keep(ctx); err != nil {
				return err
			}
		}
	}
}

// answering counts the instances of a role that answer: edges to the balancer,
// the others to the operator.
func (p *plant) answering(role string) (int, error) {
	if role == "edge" {
		return p.balancer.ready(), nil
	}
	counts, err := p.stats(role)
	return len(counts), err
}

// close ends everything.
func (p *plant) close() error {
	var errs []error
	if p.balancer != nil {
		errs = append(errs, p.balancer.close())
	}
	if p.ops != nil {
		p.ops.Close()
	}
	if p.shards != nil {
		p.shards.Close()
	}
	return errors.Join(append(errs, p.network.Close(), p.rig.Close())...)
}
