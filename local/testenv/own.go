package testenv

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"tiffin/local/backing"
	"tiffin/local/port"
	"tiffin/local/process"
)

// Server is a server of one test's own, for tests of what happens when it goes
// away. It is running when the test gets it, and ended with the test.
type Server struct {
	// URL stays the same over all its lives.
	URL string

	t        testing.TB
	server   backing.Server
	launcher *process.Launcher
	process  *process.Process
}

// own builds a server in a folder of its own, with ports from the range given
// to port, and starts it.
func own(t testing.TB, build func(dir string, port func(first int) int) (backing.Server, error)) *Server {
	t.Helper()
	dir, ports := t.TempDir(), port.NewBook()
	t.Cleanup(func() {
		if err := ports.Close(); err != nil {
			t.Errorf("testenv: %v", err)
		}
	})
	take := func(first int) int {
		t.Helper()
		return must[int](t, "port")(ports.Take(first))
	}
	for _, sub := range []string{"run", "log"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatalf("testenv: %v", err)
		}
	}
	server := must[backing.Server](t, "server")(build(dir, take))
	s := &Server{
		URL: server.URL, t: t, server: server,
		launcher: process.NewLauncher(filepath.Join(dir, "run"), filepath.Join(dir, "log")),
	}
	t.Cleanup(func() {
		s.Kill()
		s.launcher.Close()
	})
	s.Start()
	return s
}

// Start starts the server again on its data and returns when it serves. The
// test fails when it does not.
func (s *Server) Start() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), startTimeout)
	defer cancel()
	p, err := backing.Start(ctx, s.server, s.launcher)
	if err != nil {
		s.t.Fatalf("testenv: %v", err)
	}
	s.process = p
}

// Stop ends the server as an operator would, and waits.
func (s *Server) Stop() { s.process.Stop() }

// Kill ends the server as SIGKILL does, and waits, also for its children: a
// PostgreSQL started beside the last backends of the killed one ends itself.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	family := process.Family(s.process.PID())
	s.process.Kill()
	<-s.process.Done()
	if err := process.AwaitEnd(context.Background(), family, cleanupTimeout); err != nil {
		s.t.Errorf("testenv: children of the killed server: %v", err)
	}
}

// Pause freezes the server: it keeps its connections and answers nothing.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// signal reaches the whole group, for PostgreSQL's backends are processes too.
func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	for _, pid := range process.Family(s.process.PID()) {
		if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
			s.t.Fatalf("testenv: %v", err)
		}
	}
}

// OwnPostgres starts a PostgreSQL cluster with an empty database that the test
// may stop, pause and start.
func OwnPostgres(t testing.TB) *Server {
	t.Helper()
	return own(t, func(dir string, port func(int) int) (backing.Server, error) {
		return backing.Postgres(backing.PostgresConfig{
			Name: "postgres", Dir: filepath.Join(dir, "postgres"), Port: port(23000),
			Password: "test", Database: "test", Volatile: true,
		})
	})
}

// OwnRabbitMQ starts a broker that the test may stop, pause and start. It
// takes some seconds.
func OwnRabbitMQ(t testing.TB) *Server {
	t.Helper()
	var epmdPort int
	own(t, func(_ string, port func(int) int) (backing.Server, error) {
		epmdPort = port(24000)
		return backing.Epmd("epmd", epmdPort)
	})
	return own(t, func(dir string, port func(int) int) (backing.Server, error) {
		return backing.RabbitMQ(backing.RabbitMQConfig{
			Name: "rabbitmq", Dir: filepath.Join(dir, "rabbitmq"), Password: "test",
			EpmdPort: epmdPort, DistPort: port(24000), Port: port(24000),
		})
	})
}
