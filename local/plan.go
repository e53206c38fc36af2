package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"tiffin/config"
	"tiffin/local/backing"
	"tiffin/local/port"
)

// Standard ports of the private servers. The shards' clusters begin at
// PostgreSQL's and take the next free ones.
const (
	natsPort     = 4222
	postgresPort = 5432
	rabbitPort   = 5672
	redisPort    = 6379
	mongoPort    = 27017
	epmdPort     = 4369
	distPort     = 25672
)

// mongoDatabase is the one of the seed's MONGODB_URL.
const mongoDatabase = "restaurants"

// kept is a server to start, and whether the fleet can start without it.
type kept struct {
	server backing.Server
	// late servers are waited for only by what needs them: RabbitMQ takes longer
	// to boot than everything else together.
	late bool
}

// plan is what `up` starts, and the configuration that points at it.
type plan struct {
	config  config.Config
	servers []kept
	nats    *backing.NATSConfig // nil when NATS_URL is set
	// documents is the database beneath FerretDB, empty where there is none: a
	// backup takes it from there.
	documents string
}

// planner decides on servers one after the other, so that the same free ports
// give the same plan.
type planner struct {
	home    *home
	secrets *secrets
	ports   *port.Book
	plan    plan
}

// newPlan chooses a server with a free port for everything whose URL the
// configuration does not name. Nothing is started.
func newPlan(c config.Config, h *home, s *secrets, ports *port.Book) (plan, error) {
	p := &planner{home: h, secrets: s, ports: ports, plan: plan{config: c}}
	// A copy, since the shards get their URLs.
	p.plan.config.Shards = append([]config.Shard(nil), c.Shards...)
	for _, step := range []func() error{
		func() error { return s.fill(&p.plan.config) }, p.nats, p.rabbitMQ, p.postgres, p.redis, p.mongo, p.edge, s.save,
	} {
		if err := step(); err != nil {
			return plan{}, err
		}
	}
	return p.plan, nil
}

func (p *planner) add(s backing.Server, err error, late bool) error {
	if err == nil {
		p.plan.servers = append(p.plan.servers, kept{s, late})
	}
	return err
}

// private notes that the variable names a server of this plan: on loopback and
// this process's own child, it is reached without TLS.
func (p *planner) private(variable string) {
	p.plan.config.Private = append(p.plan.config.Private, variable)
}

func (p *planner) nats() error {
	c := &p.plan.config
	if c.NATSURL != "" {
		return nil
	}
	n, err := p.ports.Take(natsPort)
	if err != nil {
		return err
	}
	passwords := c.NATSPasswords
	p.plan.nats = &backing.NATSConfig{
		Host: "127.0.0.1", Port: n, StoreDir: p.home.file("nats"),
		Password: func(role string) string { return passwords[role] },
	}
	c.NATSURL = fmt.Sprintf("nats://127.0.0.1:%d", n)
	p.private("NATS_URL")
	return nil
}

// rabbitMQ comes first among the processes, for it takes longest.
func (p *planner) rabbitMQ() error {
	if p.plan.config.RabbitMQURL != "" {
		return nil
	}
	amqp, err := p.ports.Take(rabbitPort)
	if err != nil {
		return err
	}
	mapper, err := p.ports.Take(epmdPort)
	if err != nil {
		return err
	}
	dist, err := p.ports.Take(distPort)
	if err != nil {
		return err
	}
	epmd, err := backing.Epmd("epmd", mapper)
	if err := p.add(epmd, err, true); err != nil {
		return err
	}
	rabbit, err := backing.RabbitMQ(backing.RabbitMQConfig{
		Name: "rabbitmq", Dir: p.home.file("rabbitmq"), Password: p.secrets.get("RABBITMQ_PASSWORD"),
		Port: amqp, EpmdPort: mapper, DistPort: dist,
	})
	p.plan.config.RabbitMQURL = rabbit.URL
	p.private("RABBITMQ_URL")
	return p.add(rabbit, err, true)
}

func (p *planner) postgres() error {
	for i, s := range p.plan.config.Shards {
		if s.URL != "" {
			continue
		}
		server, err := p.cluster("postgres-"+s.ID, "shard_"+s.ID)
		p.plan.config.Shards[i].URL = server.URL
		p.private("POSTGRES_SHARD_" + strings.ToUpper(s.ID) + "_URL")
		if err := p.add(server, err, false); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) cluster(name, database string) (backing.Server, error) {
	n, err := p.ports.Take(postgresPort)
	if err != nil {
		return backing.Server{}, err
	}
	return backing.Postgres(backing.PostgresConfig{
		Name: name, Dir: p.home.file(name), Port: n, Database: database, Password: p.secrets.get("POSTGRES_PASSWORD"),
	})
}

func (p *planner) redis() error {
	if p.plan.config.RedisURL != "" {
		return nil
	}
	n, err := p.ports.Take(redisPort)
	if err != nil {
		return err
	}
	server, err := backing.Redis(backing.RedisConfig{
		Name: "redis", Dir: p.home.file("redis"), Port: n, Password: p.secrets.get("REDIS_PASSWORD"),
	})
	p.plan.config.RedisURL = server.URL
	p.private("REDIS_URL")
	return p.add(server, err, false)
}

// mongo takes a real mongod where there is one, and FerretDB elsewhere. A home
// that holds documents of the one stays with it.
func (p *planner) mongo() error {
	if p.plan.config.MongoURL != "" {
		return nil
	}
	p.private("MONGODB_URL")
	n, err := p.ports.Take(mongoPort)
	if err != nil {
		return err
	}
	if !exists(p.home.file("postgres-documents")) {
		server, err := backing.Mongod("mongodb", p.home.file("mongodb"), n, mongoDatabase)
		if err == nil {
			p.plan.config.MongoURL = server.URL
			return p.add(server, nil, false)
		}
		if !errors.Is(err, backing.ErrMissing) || exists(p.home.file("mongodb")) {
			return err
		}
	}
	return p.ferret(n)
}

// ferret adds FerretDB and a cluster for it alone: on a shard's cluster, a dead
// shard would take every restaurant with it.
func (p *planner) ferret(n int) error {
	cluster, err := p.cluster("postgres-documents", "documents")
	if err != nil {
		return err
	}
	server, err := backing.FerretDB(backing.FerretDBConfig{
		Name: "ferretdb", Port: n, Database: mongoDatabase, PostgresURL: cluster.URL,
		Wait: func(ctx context.Context) error { return backing.AwaitPostgres(ctx, cluster.URL) },
	})
	p.plan.config.MongoURL, p.plan.documents = server.URL, cluster.URL
	return errors.Join(p.add(cluster, nil, false), p.add(server, err, false))
}

// edge makes sure of the two ports that clients know, before anything starts.
func (p *planner) edge() error {
	c := &p.plan.config
	for _, v := range []struct {
		name string
		port *int
	}{{"API_GATEWAY_PORT", &c.EdgePort}, {"TRACKING_SERVICE_PORT", &c.TrackingPort}} {
		if *v.port == 0 {
			n, err := p.ports.Take(anyPort)
			if err != nil {
				return err
			}
			*v.port = n
		} else if err := port.Check(c.BindAddress, *v.port); err != nil {
			return edgePortError(c.BindAddress, v.name, *v.port, err)
		}
	}
	return nil
}

// edgePortError says what to change for a port that cannot be listened on.
func edgePortError(host, name string, n int, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: port %d of %s is in use; stop what listens there (`ss -ltnp sport = :%d` shows it) or set %s to another port",
			name, n, host, n, name)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: only root may listen on port %d; set %s to one from 1024 on", name, n, name)
	default:
		return fmt.Errorf("BIND_ADDRESS: cannot listen on %q: %w", host, err)
	}
}

// anyPort is where the search begins when 0 asks for any free port.
const anyPort = 13000

func exists(path string) bool {
	_, err := os.Stat(filepath.Clean(path))
	return err == nil
}

// env lists what .tiffin/env says: the addresses really in use, and what
// another `tiffin run` on this machine needs to join the fleet.
func (p plan) env() []variable {
	c := p.config
	vars := []variable{
		{"EDGE_URL", edgeURL(c, c.EdgePort)},
		{"TRACKING_URL", edgeURL(c, c.TrackingPort)},
		{"NATS_URL", c.NATSURL},
		{"REDIS_URL", c.RedisURL},
		{"RABBITMQ_URL", c.RabbitMQURL},
		{"MONGODB_URL", c.MongoURL},
		{"JWT_SECRET", c.JWTSecret},
		{"DATA_KEYS", c.DataKeys},
	}
	if p.documents != "" {
		vars = append(vars, variable{"FERRETDB_POSTGRESQL_URL", p.documents})
	}
	for _, s := range c.Shards {
		id := strings.ToUpper(s.ID)
		vars = append(vars, variable{"POSTGRES_SHARD_" + id + "_URL", s.URL}, variable{"SHARD_" + id + "_REGIONS", strings.Join(s.Regions, ",")})
	}
	for _, role := range config.NATSRoles {
		if pw := c.NATSPasswords[role]; pw != "" {
			vars = append(vars, variable{natsVariable(role), pw})
		}
	}
	return vars
}

// edgeURL is how a client on this machine reaches the edge.
func edgeURL(c config.Config, n int) string {
	host, scheme := c.BindAddress, "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	switch host {
	case "", "0.0.0.0", "127.0.0.1", "::", "::1":
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(n))
}
