package testenv

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// NATSServer is a nats-server inside the test process, configured by the
// project's nats.conf, with JetStream on a temporary folder.
type NATSServer struct {
	URL string

	t testing.TB
}

// NATS starts a server of this test's own. It ends with the test.
func NATS(t testing.TB) *NATSServer {
	t.Helper()
	t.Fatal("testenv: NATS is not wired yet")
	return &NATSServer{t: t}
}

// Password returns the password of a role of nats.conf: auth, order,
// restaurant, delivery, tracking, edge, bridge or ops.
func (s *NATSServer) Password(role string) string { return "test-" + role }

// Conn returns a connection of its own as the given role, with that role's
// private inbox; the empty role is an observer. It is closed with the test.
func (s *NATSServer) Conn(role string) *nats.Conn {
	s.t.Helper()
	s.t.Fatal("testenv: NATS is not wired yet")
	return nil
}

// JS returns JetStream as ops, who may do everything.
func (s *NATSServer) JS() jetstream.JetStream {
	s.t.Helper()
	js, err := jetstream.New(s.Conn("ops"))
	if err != nil {
		s.t.Fatalf("testenv: %v", err)
	}
	return js
}
