package testenv

import (
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tiffin/local/backing"
)

// NATSServer is a nats-server inside the test process, configured by the
// project's nats.conf, with JetStream on a temporary folder.
type NATSServer struct {
	// URL stays the same over all its lives.
	URL string

	t      testing.TB
	config backing.NATSConfig
	server *server.Server
}

// NATS starts a server of this test's own. It ends with the test.
func NATS(t testing.TB) *NATSServer {
	t.Helper()
	s := newNATS(t)
	s.Start()
	return s
}

// newNATS prepares a server that is stopped when the test ends.
func newNATS(t testing.TB) *NATSServer {
	t.Helper()
	s := &NATSServer{t: t, config: backing.NATSConfig{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, StoreDir: t.TempDir(), Password: password,
	}}
	t.Cleanup(func() {
		if s.server != nil {
			s.Stop()
		}
	})
	return s
}

// Start starts the server again on its data and address.
func (s *NATSServer) Start() {
	s.t.Helper()
	s.server = must[*server.Server](s.t, "nats")(backing.StartNATS(s.config))
	s.URL = s.server.ClientURL()
	addr, ok := s.server.Addr().(*net.TCPAddr)
	if !ok {
		s.t.Fatalf("testenv: nats listens on %v", s.server.Addr())
	}
	s.config.Port = addr.Port
}

// Stop ends the server and waits; clients lose their connections.
func (s *NATSServer) Stop() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// password gives every role of nats.conf a password of its own, so that a test
// notices who connects as whom.
func password(role string) string { return "test-" + role }

// Password returns the password of a role of nats.conf: auth, order,
// restaurant, delivery, tracking, edge, bridge or ops.
func (s *NATSServer) Password(role string) string { return password(role) }

// Conn returns a connection of its own as the given role, with that role's
// private inbox; the empty role is an observer. It is closed with the test.
func (s *NATSServer) Conn(role string) *nats.Conn {
	s.t.Helper()
	opts := []nats.Option{nats.Timeout(5 * time.Second), nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond)}
	if role != "" {
		opts = append(opts, nats.Name(role), nats.UserInfo(role, password(role)), nats.CustomInboxPrefix("_INBOX_"+role))
	}
	conn := must[*nats.Conn](s.t, "nats as "+role)(nats.Connect(s.URL, opts...))
	s.t.Cleanup(conn.Close)
	return conn
}

// JS returns JetStream as ops, who may do everything.
func (s *NATSServer) JS() jetstream.JetStream {
	s.t.Helper()
	return must[jetstream.JetStream](s.t, "jetstream")(jetstream.New(s.Conn("ops")))
}
