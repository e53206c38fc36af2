package local

import (
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/config"
	"tiffin/local/port"
	"tiffin/local/testenv/holder"
)

// planOf makes a plan in a home of its own.
func planOf(t *testing.T, vars map[string]string) (plan, *home, error) {
	t.Helper()
	if vars["API_GATEWAY_PORT"] == "" {
		vars["API_GATEWAY_PORT"], vars["TRACKING_SERVICE_PORT"] = "0", "0"
	}
	c, err := config.FromMap(vars)
	require.NoError(t, err)
	h, err := openHome(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(h.release)
	s, err := loadSecrets(h.file("secrets"))
	require.NoError(t, err)
	ports := port.NewBook()
	t.Cleanup(func() { require.NoError(t, ports.Close()) })
	p, err := newPlan(c, h, s, ports)
	return p, h, err
}

// everything is an environment that names all servers.
func everything() map[string]string {
	return map[string]string{
		"NATS_URL": "nats://n:4222", "REDIS_URL": "redis://r:6379", "RABBITMQ_URL": "amqp://u:geheim@q:5672/v",
		"MONGODB_URL": "mongodb://m:27017/restaurants", "POSTGRES_SHARD_A_URL": "postgresql://a/a",
		"POSTGRES_SHARD_B_URL": "postgresql://b/b", "POSTGRES_SHARD_C_URL": "postgresql://c/c",
	}
}

// withoutMongod makes the machine look like one that has no mongod. The other
// servers are found where Debian puts them.
func withoutMongod(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
}

func names(p plan) []string {
	var out []string
	for _, s := range p.servers {
		out = append(out, s.server.Name)
	}
	return out
}

func TestServersOfTheEnvironmentAreNotStarted(t *testing.T) {
	t.Parallel()
	p, _, err := planOf(t, everything())
	require.NoError(t, err)
	require.Empty(t, p.servers)
	require.Nil(t, p.nats)
	require.Equal(t, "nats://n:4222", p.config.NATSURL)

	some := everything()
	delete(some, "REDIS_URL")
	delete(some, "POSTGRES_SHARD_B_URL")
	p, _, err = planOf(t, some)
	require.NoError(t, err)
	require.Equal(t, []string{"postgres-b", "redis"}, names(p))
	require.Equal(t, "postgresql://a/a", p.config.Shards[0].URL)
	require.Contains(t, p.config.Shards[1].URL, "/shard_b?")
}

func TestEverythingIsStartedByDefault(t *testing.T) {
	require.NoError(t, holder.BuildFerret(t.Context()))
	withoutMongod(t)
	p, h, err := planOf(t, map[string]string{})
	require.NoError(t, err)
	require.Equal(t, []string{"epmd", "rabbitmq", "postgres-a", "postgres-b", "postgres-c", "redis", "postgres-documents", "ferretdb"}, names(p))
	require.NotNil(t, p.nats)
	require.NoDirExists(t, h.file("postgres-a"), "planning starts nothing")
	seen := map[string]bool{}
	for _, s := range p.servers {
		require.False(t, seen[s.server.Address], "two servers at %s", s.server.Address)
		seen[s.server.Address] = true
	}
	info, err := os.Stat(h.file("secrets"))
	require.NoError(t, err, "saved before any server is made with them")
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestAShardMoreIsConfiguration(t *testing.T) {
	t.Parallel()
	vars := everything()
	vars["SHARD_D_REGIONS"], vars["SHARD_C_REGIONS"] = "mx", "us-south"
	p, _, err := planOf(t, vars)
	require.NoError(t, err)
	require.Equal(t, []string{"postgres-d"}, names(p))
}

func TestTheEnvFileNamesWhatIsInUse(t *testing.T) {
	require.NoError(t, holder.BuildFerret(t.Context()))
	withoutMongod(t)
	p, h, err := planOf(t, map[string]string{})
	require.NoError(t, err)
	require.NoError(t, writeFile(h.file("env"), formatEnv(p.env())))
	vars, err := readEnv(h.file("env"))
	require.NoError(t, err)
	for _, name := range []string{
		"EDGE_URL", "TRACKING_URL", "NATS_URL", "REDIS_URL", "RABBITMQ_URL", "MONGODB_URL", "NATS_OPS_PASSWORD",
		"POSTGRES_SHARD_A_URL", "POSTGRES_SHARD_B_URL", "POSTGRES_SHARD_C_URL", "SHARD_A_REGIONS", "JWT_SECRET",
		"FERRETDB_POSTGRESQL_URL",
	} {
		require.NotEmpty(t, vars[name], name)
	}
	c, err := config.FromMap(vars)
	require.NoError(t, err, "what is written can be read")
	require.Equal(t, p.config.Shards, c.Shards)
	require.Equal(t, p.config.NATSPasswords, c.NATSPasswords)
}

func TestAPortInUseIsNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	taken := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	for _, name := range []string{"API_GATEWAY_PORT", "TRACKING_SERVICE_PORT"} {
		vars := everything()
		vars["API_GATEWAY_PORT"], vars["TRACKING_SERVICE_PORT"] = "0", "0"
		vars[name] = taken
		_, _, err := planOf(t, vars)
		require.ErrorContains(t, err, name+": port "+taken+" of 127.0.0.1 is in use")
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestAnAddressOfAnotherMachineIsNamed(t *testing.T) {
	t.Parallel()
	vars := everything()
	vars["BIND_ADDRESS"], vars["API_GATEWAY_PORT"], vars["TRACKING_SERVICE_PORT"] = "192.0.2.1", "3000", "3005"
	_, _, err := planOf(t, vars)
	require.ErrorContains(t, err, `BIND_ADDRESS: cannot listen on "192.0.2.1"`)
	err = edgePortError("127.0.0.1", "API_GATEWAY_PORT", 80, syscall.EACCES)
	require.EqualError(t, err, "API_GATEWAY_PORT: only root may listen on port 80; set API_GATEWAY_PORT to one from 1024 on")
}

func TestDocumentsStayWhereTheyAre(t *testing.T) {
	withoutMongod(t)
	vars := everything()
	delete(vars, "MONGODB_URL")
	c, err := config.FromMap(vars)
	require.NoError(t, err)
	c.EdgePort, c.TrackingPort = 0, 0
	h, err := openHome(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(h.release)
	require.NoError(t, os.Mkdir(h.file("mongodb"), 0o700))
	s, err := loadSecrets(h.file("secrets"))
	require.NoError(t, err)
	ports := port.NewBook()
	t.Cleanup(func() { require.NoError(t, ports.Close()) })
	_, err = newPlan(c, h, s, ports)
	require.ErrorContains(t, err, "mongod", "documents of a mongod that is gone are not replaced by an empty FerretDB")
}

func TestBannerCanBePasted(t *testing.T) {
	t.Parallel()
	vars := everything()
	p, h, err := planOf(t, vars)
	require.NoError(t, err)
	text := banner(p, h, 0)
	require.NotContains(t, text, "geheim", "passwords stay in the env file")
	for _, want := range []string{edgeURL(p.config, p.config.EdgePort), "customer@demo.tiffin", "--inbox-prefix=_INBOX_ops", h.file("env")} {
		require.Contains(t, text, want)
	}
	p.config.Demo = "off"
	require.NotContains(t, banner(p, h, 0), "customer@demo.tiffin")
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"amqp://u:p@h:1/v":                  "amqp://h:1/v",
		"redis://h:1":                       "redis://h:1",
		"postgresql://u:p%40@h/d?sslmode=x": "postgresql://h/d",
		"mongodb://u:p@a:1,b:2/x":           "mongodb://a:1,b:2/x",
		"mongodb://u:p@ss@a:1/x":            "mongodb://a:1/x",
		"":                                  "",
	} {
		require.Equal(t, want, redact(in), in)
	}
}

func TestQuotePath(t *testing.T) {
	t.Parallel()
	require.Equal(t, "/home/x/.tiffin/env", quotePath("/home/x/.tiffin/env"))
	require.Equal(t, `'/home/my own/it'\''s'`, quotePath("/home/my own/it's"))
}
