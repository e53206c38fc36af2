package holder

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"tiffin/local/backing"
	"tiffin/local/port"
	"tiffin/local/process"
)

// Names of the servers a client may ask for.
const (
	Postgres = "postgres"
	RabbitMQ = "rabbitmq"
	Mongo    = "mongo"
)

// Names of the URLs in an answer. The management URL is RabbitMQ's alone.
const (
	URL           = "url"
	ManagementURL = "management"
)

// basePort is where the test servers' ports begin: below the kernel's range
// for outgoing connections, away from every standard port.
const basePort = 21000

// set starts servers once each and keeps them until it is closed.
type set struct {
	ctx      context.Context // ends with the set, not with whoever asked first
	cancel   context.CancelFunc
	dir      string
	launcher *process.Launcher
	log      *slog.Logger
	ports    *port.Book
	keepers  sync.WaitGroup

	once map[string]func() (map[string]string, error)
}

func openSet(ctx context.Context, dir string, l *process.Launcher, log *slog.Logger) *set {
	ctx, cancel := context.WithCancel(ctx)
	s := &set{ctx: ctx, cancel: cancel, dir: dir, launcher: l, log: log, ports: port.NewBook()}
	s.once = map[string]func() (map[string]string, error){
		Postgres: sync.OnceValues(s.postgres),
		RabbitMQ: sync.OnceValues(s.rabbitMQ),
		Mongo:    sync.OnceValues(s.mongo),
	}
	return s
}

// close stops all servers and waits for them.
func (s *set) close() {
	s.cancel()
	s.keepers.Wait()
	s.launcher.Close()
	if err := s.ports.Close(); err != nil {
		s.log.Warn("giving ports back", "error", err)
	}
}

// startAll starts everything in the background; errors are told to whoever
// asks.
func (s *set) startAll() {
	for _, start := range s.once {
		s.keepers.Go(func() {
			// Remembered, and repeated to everyone who asks.
			_, _ = start()
		})
	}
}

// urls starts the server if nobody has, and waits until it is ready.
func (s *set) urls(ctx context.Context, name string) (map[string]string, error) {
	start, ok := s.once[name]
	if !ok {
		return nil, fmt.Errorf("no test server %q", name)
	}
	type result struct {
		urls map[string]string
		err  error
	}
	done := make(chan result, 1)
	s.keepers.Go(func() {
		urls, err := start()
		done <- result{urls, err}
	})
	select {
	case r := <-done:
		return r.urls, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// keep runs the server until the set closes and returns once it is ready.
func (s *set) keep(server backing.Server, err error) error {
	if err != nil {
		return err
	}
	keeper := backing.NewKeeper(server, s.launcher, s.log)
	failed := make(chan error, 1)
	s.keepers.Go(func() { failed <- keeper.Run(s.ctx) })
	select {
	case <-keeper.Ready():
		return nil
	case err := <-failed:
		if err == nil {
			err = context.Cause(s.ctx)
		}
		return err
	}
}

func (s *set) postgres() (map[string]string, error) {
	p, err := s.ports.Take(basePort)
	if err != nil {
		return nil, err
	}
	server, err := backing.Postgres(backing.PostgresConfig{
		Name: Postgres, Dir: filepath.Join(s.dir, Postgres), Port: p, Password: "test",
		Database: "documents", Volatile: true, MaxConnections: 600,
	})
	return map[string]string{URL: server.URL}, s.keep(server, err)
}

func (s *set) rabbitMQ() (map[string]string, error) {
	ports := make([]int, 4)
	for i := range ports {
		var err error
		if ports[i], err = s.ports.Take(basePort + 100); err != nil {
			return nil, err
		}
	}
	if err := s.keep(backing.Epmd("epmd", ports[0])); err != nil {
		return nil, err
	}
	server, err := backing.RabbitMQ(backing.RabbitMQConfig{
		Name: RabbitMQ, Dir: filepath.Join(s.dir, RabbitMQ), Password: "test",
		EpmdPort: ports[0], DistPort: ports[1], Port: ports[2], ManagementPort: ports[3],
	})
	return map[string]string{
		URL:           server.URL,
		ManagementURL: fmt.Sprintf("http://tiffin:test@127.0.0.1:%d", ports[3]),
	}, s.keep(server, err)
}

// mongo stands on the test cluster, whose database "documents" is its own.
func (s *set) mongo() (map[string]string, error) {
	documents, err := s.once[Postgres]()
	if err != nil {
		return nil, err
	}
	if err := BuildFerret(s.ctx); err != nil {
		return nil, err
	}
	p, err := s.ports.Take(basePort + 200)
	if err != nil {
		return nil, err
	}
	server, err := backing.FerretDB(backing.FerretDBConfig{Name: Mongo, Port: p, PostgresURL: documents[URL]})
	return map[string]string{URL: server.URL}, s.keep(server, err)
}
