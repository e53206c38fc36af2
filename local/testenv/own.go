package testenv

import (
	"context"
	"testing"

	"tiffin/local/backing"
	"tiffin/local/rig"
	"tiffin/local/testenv/holder"
)

// Server is a server of one test's own, for tests of what happens when it goes
// away. It is running when the test gets it, and ended with the test.
type Server struct {
	// URL stays the same over all its lives.
	URL string

	t      testing.TB
	server *rig.Server
}

// own starts a server in a rig of its own.
func own(t testing.TB, start func(context.Context, *rig.Rig) (*rig.Server, error)) *Server {
	t.Helper()
	r := must[*rig.Rig](t, "rig")(rig.Open(t.TempDir()))
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("testenv: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	server := must[*rig.Server](t, "server")(start(ctx, r))
	return &Server{URL: server.URL, t: t, server: server}
}

// Start starts the server again on its data and returns when it serves. The
// test fails when it does not.
func (s *Server) Start() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), startTimeout)
	defer cancel()
	s.check(s.server.Start(ctx))
}

// Stop ends the server as an operator would, and waits.
func (s *Server) Stop() { s.server.Stop() }

// Kill ends the server and its children as SIGKILL does, and waits.
func (s *Server) Kill() {
	s.t.Helper()
	s.check(s.server.Kill())
}

// Pause freezes the server: it keeps its connections and answers nothing.
func (s *Server) Pause() {
	s.t.Helper()
	s.check(s.server.Pause())
}

// Resume lets a paused server go on.
func (s *Server) Resume() {
	s.t.Helper()
	s.check(s.server.Resume())
}

func (s *Server) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("testenv: %v", err)
	}
}

// OwnPostgres starts a PostgreSQL cluster with an empty database that the test
// may stop, pause and start.
func OwnPostgres(t testing.TB) *Server {
	t.Helper()
	return own(t, func(ctx context.Context, r *rig.Rig) (*rig.Server, error) { return r.Postgres(ctx, "postgres") })
}

// OwnReplicated starts a PostgreSQL cluster with an empty database and a
// streaming replica of it. The test may stop, pause and start both.
func OwnReplicated(t testing.TB) (primary, replica *Server) {
	t.Helper()
	replica = own(t, func(ctx context.Context, r *rig.Rig) (*rig.Server, error) {
		first, err := r.Postgres(ctx, "postgres")
		if err != nil {
			return nil, err
		}
		primary = &Server{URL: first.URL, t: t, server: first}
		return r.PostgresReplica(ctx, "postgres-replica", first)
	})
	return primary, replica
}

// OwnMongo starts a MongoDB-protocol server that the test may stop, pause and
// start. Its documents live in a database of this test's own.
func OwnMongo(t testing.TB) *Server {
	t.Helper()
	if err := holder.BuildFerret(t.Context()); err != nil {
		t.Fatalf("testenv: %v", err)
	}
	documents := Postgres(t)
	return own(t, func(ctx context.Context, r *rig.Rig) (*rig.Server, error) {
		port, err := r.Port(25000)
		if err != nil {
			return nil, err
		}
		server, err := backing.FerretDB(backing.FerretDBConfig{
			Name: "ferretdb", Port: port, PostgresURL: documents, Database: "restaurants",
		})
		if err != nil {
			return nil, err
		}
		return r.Add(ctx, server)
	})
}

// OwnRabbitMQ starts a broker that the test may stop, pause and start. It
// takes some seconds.
func OwnRabbitMQ(t testing.TB) *Server {
	t.Helper()
	return own(t, func(ctx context.Context, r *rig.Rig) (*rig.Server, error) { return r.RabbitMQ(ctx) })
}
