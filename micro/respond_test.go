package micro

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
)

// network is a nats.CustomDialer that can be taken away.
type network struct {
	mu    sync.Mutex
	away  bool
	conns []net.Conn
}

// Dial implements nats.CustomDialer.
func (n *network) Dial(kind, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.away {
		return nil, errors.New("the network is away")
	}
	conn, err := net.Dial(kind, address)
	if err == nil {
		n.conns = append(n.conns, conn)
	}
	return conn, err
}

// set takes the network away, with all its connections, or gives it back.
func (n *network) set(away bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.away = away
	for _, conn := range n.conns {
		conn.Close()
	}
	n.conns = nil
}

// The node of a service dies while a request is being worked on. What was done is answered when the service has found
// another, and not called an internal error by whatever the lost connection said.
func TestAGoodAnswerWaitsForTheConnection(t *testing.T) {
	t.Parallel()
	srv := testenv.NATS(t)
	var way network
	lost := make(chan struct{}, 1)
	service, err := Connect(ConnConfig{URL: srv.URL, Role: "order", Password: srv.Password("order"), Options: []nats.Option{
		nats.SetCustomDialer(&way), nats.ReconnectWait(5 * time.Millisecond), nats.ReconnectJitter(0, 0),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { lost <- struct{}{} }),
	}})
	require.NoError(t, err)
	t.Cleanup(service.Close)
	caller, err := Connect(ConnConfig{URL: srv.URL, Role: "edge", Password: srv.Password("edge")})
	require.NoError(t, err)
	t.Cleanup(caller.Close)

	requests, err := service.QueueSubscribeSync("order.echo", "q")
	require.NoError(t, err)
	require.NoError(t, service.Flush())
	inbox := caller.NewInbox()
	answers, err := caller.SubscribeSync(inbox)
	require.NoError(t, err)
	require.NoError(t, caller.PublishRequest("order.echo", inbox, nil))
	request, err := requests.NextMsg(5 * time.Second)
	require.NoError(t, err)

	way.set(true)
	<-lost
	err = respond(newIncoming(t.Context(), nil, time.Now()), request, nil)
	require.ErrorIs(t, err, nats.ErrReconnectBufExceeded)
	require.Equal(t, CodeTimeout, CodeOf(err), "its caller has gone")

	answered := make(chan error, 1)
	in := newIncoming(context.Background(), nil, time.Now().Add(time.Minute))
	defer in.finish()
	go func() { answered <- respond(in, request, []byte("done")) }()
	way.set(false)
	require.NoError(t, <-answered)
	answer, err := answers.NextMsg(5 * time.Second)
	require.NoError(t, err)
	require.Equal(t, "done", string(answer.Data))
	service.Close()
	<-lost
}
