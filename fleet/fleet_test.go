package fleet

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/config"
	"tiffin/local/port"
	"tiffin/local/testenv"
	"tiffin/micro"
)

const (
	patience = time.Minute
	tick     = 20 * time.Millisecond
)

// configure returns a configuration that names servers of this test's own.
func configure(t *testing.T) (config.Config, *testenv.NATSServer) {
	t.Helper()
	ports := port.NewBook()
	t.Cleanup(func() { require.NoError(t, ports.Close()) })
	c, err := config.FromMap(map[string]string{"BCRYPT_COST": "4"})
	require.NoError(t, err)
	for _, p := range []*int{&c.EdgePort, &c.TrackingPort} {
		*p, err = ports.Take(29000)
		require.NoError(t, err)
	}
	nats, urls := testenv.NATS(t), testenv.ShardURLs(t)
	c.NATSURL, c.RedisURL, c.MongoURL, c.RabbitMQURL = nats.URL, testenv.RedisURL(t), testenv.Mongo(t), testenv.RabbitMQ(t)
	for i, s := range c.Shards {
		c.Shards[i].URL = urls[s.ID]
	}
	for _, role := range config.NATSRoles {
		c.NATSPasswords[role] = nats.Password(role)
	}
	return c, nats
}

// buffer is a log that can be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// running is a fleet inside the test.
type running struct {
	stop context.CancelFunc
	done chan error
	log  *buffer
}

func start(t *testing.T, c Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, done: make(chan error, 1), log: &buffer{}}
	c.Log = slog.New(slog.NewJSONHandler(r.log, nil))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.done <- Run(ctx, c)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Log(r.log)
		}
	})
	return r
}

// ready asks the edge whether everything is well.
func ready(c config.Config) bool {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(urlOf(c) + "/readyz")
	return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

func urlOf(c config.Config) string {
	return "http://" + c.BindAddress + ":" + strconv.Itoa(c.EdgePort)
}

func TestAWholeFleetStartsAndDrains(t *testing.T) {
	t.Parallel()
	c, nats := configure(t)
	seeded := false
	r := start(t, Config{Config: c, Roles: Roles, BeforeEdge: func(_ context.Context, ops *micro.Client) error {
		seeded = true
		require.NotNil(t, ops)
		require.False(t, ready(c), "the edge is closed until then")
		return nil
	}})
	require.Eventually(t, func() bool { return ready(c) }, patience, tick)
	require.True(t, seeded)
	js := nats.JS()
	for _, stream := range []string{"EVENTS", "DEAD"} {
		_, err := js.Stream(t.Context(), stream)
		require.NoError(t, err)
	}
	r.stop()
	require.NoError(t, <-r.done)
	r.done <- nil
	require.False(t, ready(c))
	require.NotContains(t, r.log.String(), `"level":"ERROR"`)
}

func TestTheFleetOutlivesARestartOfNATS(t *testing.T) {
	t.Parallel()
	c, nats := configure(t)
	r := start(t, Config{Config: c, Roles: Roles})
	require.Eventually(t, func() bool { return ready(c) }, patience, tick)
	nats.Stop()
	require.Eventually(t, func() bool { return !ready(c) }, patience, tick, "an edge without NATS can serve nothing")
	nats.Start()
	require.Eventually(t, func() bool { return ready(c) }, patience, tick)
	r.stop()
	require.NoError(t, <-r.done)
	r.done <- nil
}

func TestRolesInProcessesOfTheirOwn(t *testing.T) {
	t.Parallel()
	c, _ := configure(t)
	for _, role := range Roles {
		own := c
		if role != "edge" {
			own.EdgePort, own.TrackingPort = 0, 0
		}
		start(t, Config{Config: own, Roles: []string{role}})
	}
	require.Eventually(t, func() bool { return ready(c) }, patience, tick)
}

func TestAWrongPasswordIsNamed(t *testing.T) {
	t.Parallel()
	c, _ := configure(t)
	c.NATSPasswords["auth"] = "guess"
	r := start(t, Config{Config: c, Roles: []string{"auth"}})
	err := <-r.done
	r.done <- err
	require.ErrorContains(t, err, "NATS_AUTH_PASSWORD")
	require.NotContains(t, err.Error(), "guess")
}

func TestWhatHappensBeforeTheEdgeMayFail(t *testing.T) {
	t.Parallel()
	c, _ := configure(t)
	r := start(t, Config{Config: c, Roles: Roles, BeforeEdge: func(context.Context, *micro.Client) error { return errors.New("no seed") }})
	err := <-r.done
	r.done <- err
	require.EqualError(t, err, "no seed")
}

func TestValidateNamesTheVariable(t *testing.T) {
	t.Parallel()
	all, err := config.FromMap(map[string]string{
		"NATS_URL": "nats://n:1", "REDIS_URL": "redis://r:1", "MONGODB_URL": "mongodb://m/x", "RABBITMQ_URL": "amqp://q/v",
		"POSTGRES_SHARD_A_URL": "postgresql://a/a", "POSTGRES_SHARD_B_URL": "postgresql://b/b", "POSTGRES_SHARD_C_URL": "postgresql://c/c",
	})
	require.NoError(t, err)
	require.NoError(t, Config{Config: all, Roles: Roles}.Validate())
	for name, c := range map[string]struct {
		roles  string
		change func(*config.Config)
		want   string
	}{
		"no role":      {"", func(*config.Config) {}, "no role named"},
		"unknown role": {"auth chef", func(*config.Config) {}, `no role "chef"`},
		"role twice":   {"auth edge auth", func(*config.Config) {}, `"auth" is named twice`},
		"nats":         {"auth", func(c *config.Config) { c.NATSURL = "" }, "NATS_URL: not set"},
		"redis":        {"auth edge", func(c *config.Config) { c.RedisURL = "" }, "REDIS_URL: not set, and role edge needs it"},
		"mongo":        {"restaurant", func(c *config.Config) { c.MongoURL = "" }, "MONGODB_URL: not set"},
		"rabbitmq":     {"bridge", func(c *config.Config) { c.RabbitMQURL = "" }, "RABBITMQ_URL: not set"},
		"shard": {"delivery", func(c *config.Config) {
			c.Shards = append([]config.Shard(nil), c.Shards...)
			c.Shards[1].URL = ""
		}, "POSTGRES_SHARD_B_URL: not set, and role delivery needs it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := all
			c.change(&changed)
			require.ErrorContains(t, Config{Config: changed, Roles: strings.Fields(c.roles)}.Validate(), c.want)
		})
	}
	lean := all
	lean.RedisURL, lean.MongoURL, lean.RabbitMQURL, lean.Shards = "", "", "", nil
	require.NoError(t, Config{Config: lean, Roles: []string{"auth"}}.Validate(), "what no role needs may be missing")
}
