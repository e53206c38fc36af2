package micro_test

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/local/testenv"
	"tiffin/micro"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// natsServer is a server of one test, from the project's nats.conf.
type natsServer struct {
	*testenv.NATSServer
	t testing.TB
}

func newServer(t testing.TB) *natsServer {
	t.Helper()
	return &natsServer{testenv.NATS(t), t}
}

// conn connects as a role with the kit's options; "" is an observer.
func (s *natsServer) conn(role string) *nats.Conn {
	s.t.Helper()
	if role == "" {
		return s.Conn("")
	}
	nc, err := micro.Connect(micro.ConnConfig{URL: s.URL, Role: role, Password: s.Password(role)})
	require.NoError(s.t, err)
	s.t.Cleanup(nc.Close)
	return nc
}

// js gives JetStream as a role.
func (s *natsServer) js(role string) jetstream.JetStream {
	s.t.Helper()
	js, err := jetstream.New(s.conn(role))
	require.NoError(s.t, err)
	return js
}
