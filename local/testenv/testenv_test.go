package testenv_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tiffin/local/testenv"
)

func TestPostgresGivesFreshDatabases(t *testing.T) {
	t.Parallel()
	for id, url := range testenv.ShardURLs(t) {
		conn, err := pgx.Connect(t.Context(), url)
		require.NoError(t, err, id)
		_, err = conn.Exec(t.Context(), `CREATE TABLE mine (id int)`)
		require.NoError(t, err, "the database of shard %s is empty", id)
		var version int
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT current_setting('server_version_num')::int`).Scan(&version))
		require.GreaterOrEqual(t, version, 150000)
		require.NoError(t, conn.Close(context.Background()))
	}
}

func TestRedisIsAlone(t *testing.T) {
	t.Parallel()
	a, b := testenv.Redis(t), testenv.Redis(t)
	require.NoError(t, a.Set(t.Context(), "k", "v", 0).Err())
	n, err := b.Exists(t.Context(), "k").Result()
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestRabbitMQGivesFreshVirtualHosts(t *testing.T) {
	t.Parallel()
	a, b := testenv.RabbitMQ(t), testenv.RabbitMQ(t)
	require.NotEqual(t, a, b)
	for _, url := range []string{a, b} {
		conn, err := amqp.Dial(url)
		require.NoError(t, err)
		ch, err := conn.Channel()
		require.NoError(t, err)
		q, err := ch.QueueDeclare("mine", true, false, false, false, nil)
		require.NoError(t, err)
		require.Zero(t, q.Messages)
		require.NoError(t, ch.PublishWithContext(t.Context(), "", "mine", false, false, amqp.Publishing{Body: []byte("x")}))
		require.NoError(t, conn.Close())
	}
}

func TestMongoGivesFreshDatabases(t *testing.T) {
	t.Parallel()
	client, err := mongo.Connect(options.Client().ApplyURI(testenv.Mongo(t)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Disconnect(context.Background())) })
	docs := client.Database("own").Collection("docs")
	_, err = docs.InsertOne(t.Context(), bson.M{"_id": "1", "name": "x"})
	require.NoError(t, err)
	require.NoError(t, docs.FindOne(t.Context(), bson.M{"_id": "1"}).Err())
	require.NoError(t, client.Database("own").Drop(t.Context()))
}

func TestNATSKnowsTheRoles(t *testing.T) {
	t.Parallel()
	s := testenv.NATS(t)
	_, err := s.JS().AccountInfo(t.Context())
	require.NoError(t, err, "ops may do everything")
	require.True(t, s.Conn("edge").IsConnected())
	require.True(t, s.Conn("").IsConnected(), "an observer needs no password")
	url := s.URL
	s.Stop()
	s.Start()
	require.Equal(t, url, s.URL, "a server that comes back has its address")
}

func TestShardSetIsReachable(t *testing.T) {
	t.Parallel()
	set := testenv.ShardSet(t)
	for name, err := range set.Health(t.Context()) {
		require.NoError(t, err, name)
	}
	require.Len(t, set.All(), 3)
}

func TestOwnServersComeBackWithTheirData(t *testing.T) {
	t.Parallel()
	pg := testenv.OwnPostgres(t)
	exec := func(sql string) error {
		conn, err := pgx.Connect(t.Context(), pg.URL)
		if err != nil {
			return err
		}
		defer conn.Close(context.Background())
		_, err = conn.Exec(t.Context(), sql)
		return err
	}
	require.NoError(t, exec(`CREATE TABLE kept (id int)`))
	pg.Kill()
	require.Error(t, exec(`SELECT 1`))
	pg.Start()
	require.NoError(t, exec(`SELECT * FROM kept`))
	pg.Stop()
	require.Error(t, exec(`SELECT 1`))
	pg.Start()
	require.NoError(t, exec(`SELECT * FROM kept`))
}

func TestPausedServersAnswerNothingAndGoOn(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	opts, err := redis.ParseURL(server.URL)
	require.NoError(t, err)
	opts.ContextTimeoutEnabled, opts.MaxRetries = true, -1
	client := redis.NewClient(opts)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	require.NoError(t, client.Ping(t.Context()).Err())
	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Error(t, client.Ping(ctx).Err())
	server.Resume()
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, 5*time.Second, 20*time.Millisecond)
}
