package backing_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/backing"
)

func TestRedisKeepsItsDataWhenItIsStopped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s, err := backing.Redis(backing.RedisConfig{Name: "redis", Dir: b.folder("redis"), Port: b.port(t), Password: "secret"})
	require.NoError(t, err)
	opts, err := redis.ParseURL(s.URL)
	require.NoError(t, err)
	client := redis.NewClient(opts)
	t.Cleanup(func() { require.NoError(t, client.Close()) })

	first, err := backing.Start(t.Context(), s, b.launcher)
	require.NoError(t, err)
	require.NoError(t, client.Set(t.Context(), "k", "v", time.Hour).Err())
	first.Stop()
	b.keep(t, s).awaitReady(t)
	require.Equal(t, "v", client.Get(t.Context(), "k").Val())

	info, err := os.Stat(b.folder("redis/redis.conf"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds the password")
	opts.Password, opts.Username = "", ""
	anonymous := redis.NewClient(opts)
	t.Cleanup(func() { require.NoError(t, anonymous.Close()) })
	require.ErrorContains(t, anonymous.Ping(t.Context()).Err(), "NOAUTH")
}

func TestRabbitMQKeepsItsDataWhenItIsKilled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	epmd, err := backing.Epmd("epmd", b.port(t))
	require.NoError(t, err)
	mapper, err := backing.Start(t.Context(), epmd, b.launcher)
	require.NoError(t, err)
	_, number := split(t, epmd.Address)
	s, err := backing.RabbitMQ(backing.RabbitMQConfig{
		Name: "rabbitmq", Dir: b.folder("rabbitmq"), Port: b.port(t), EpmdPort: number, DistPort: b.port(t), Password: "secret",
	})
	require.NoError(t, err)
	p, err := backing.Start(t.Context(), s, b.launcher)
	require.NoError(t, err)
	publish(t, s.URL)
	kill(t, p)
	k := b.keep(t, s)
	k.awaitReady(t)
	require.Equal(t, 1, messages(t, s.URL))

	_, err = amqp.Dial("amqp://guest:guest@" + s.Address)
	require.Error(t, err, "the well-known account does not exist")
	k.stop()
	require.NoError(t, <-k.err)
	k.err <- nil
	mapper.Stop()
}

// publish puts one persistent message into a durable queue and waits for the
// broker's word that it is on disk.
func publish(t *testing.T, url string) {
	t.Helper()
	conn, err := amqp.Dial(url)
	require.NoError(t, err)
	defer conn.Close()
	ch, err := conn.Channel()
	require.NoError(t, err)
	_, err = ch.QueueDeclare("kept", true, false, false, false, nil)
	require.NoError(t, err)
	require.NoError(t, ch.Confirm(false))
	confirm, err := ch.PublishWithDeferredConfirmWithContext(t.Context(), "", "kept", true, false,
		amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte("x")})
	require.NoError(t, err)
	ok, err := confirm.WaitContext(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
}

func messages(t *testing.T, url string) int {
	t.Helper()
	conn, err := amqp.Dial(url)
	require.NoError(t, err)
	defer conn.Close()
	ch, err := conn.Channel()
	require.NoError(t, err)
	q, err := ch.QueueDeclarePassive("kept", true, false, false, false, nil)
	require.NoError(t, err)
	return q.Messages
}

func TestNATSReadsNatsConf(t *testing.T) {
	t.Parallel()
	store := filepath.Join(t.TempDir(), "nats")
	// Passwords that nats.conf would take for numbers, variables or its own end.
	password := func(role string) string { return `1e9 "$NATS_` + role + `" }` }
	srv, err := backing.StartNATS(backing.NATSConfig{Host: "127.0.0.1", Port: server.RANDOM_PORT, StoreDir: store, Password: password})
	require.NoError(t, err)
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	ops, err := nats.Connect(srv.ClientURL(), nats.UserInfo("ops", password("ops")), nats.CustomInboxPrefix("_INBOX_ops"))
	require.NoError(t, err)
	t.Cleanup(ops.Close)
	js, err := jetstream.New(ops)
	require.NoError(t, err)
	_, err = js.AccountInfo(t.Context())
	require.NoError(t, err)
	_, err = nats.Connect(srv.ClientURL(), nats.UserInfo("ops", "guess"))
	require.ErrorIs(t, err, nats.ErrAuthorization)
	require.DirExists(t, store)
}

func TestNATSPortInUse(t *testing.T) {
	t.Parallel()
	first, err := backing.StartNATS(backing.NATSConfig{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, StoreDir: t.TempDir(), Password: func(string) string { return "x" },
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		first.Shutdown()
		first.WaitForShutdown()
	})
	_, number := split(t, first.Addr().String())
	_, err = backing.StartNATS(backing.NATSConfig{
		Host: "127.0.0.1", Port: number, StoreDir: t.TempDir(), Password: func(string) string { return "x" },
	})
	require.ErrorContains(t, err, "address already in use")
}
