package main_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is wrong is one line on standard error that names what to change.
func TestWhatIsWrongIsOneLine(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	taken := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	for name, c := range map[string]struct {
		args []string
		vars []string
		want string
	}{
		"port in use":       {[]string{"up"}, []string{"API_GATEWAY_PORT=" + taken, "TRACKING_SERVICE_PORT=0"}, "API_GATEWAY_PORT: port " + taken},
		"tracking port":     {[]string{"up"}, []string{"API_GATEWAY_PORT=0", "TRACKING_SERVICE_PORT=" + taken}, "TRACKING_SERVICE_PORT: port " + taken},
		"unusable value":    {[]string{"up"}, []string{"OFFER_TTL=soon"}, "OFFER_TTL"},
		"unknown level":     {[]string{"up"}, []string{"LOG_LEVEL=loud"}, "LOG_LEVEL"},
		"no URL":            {[]string{"up"}, []string{"REDIS_URL=localhost"}, "REDIS_URL"},
		"public secret":     {[]string{"up"}, []string{"APP_ENV=production"}, "JWT_SECRET"},
		"home is a file":    {[]string{"up"}, []string{"TIFFIN_HOME=" + file}, "TIFFIN_HOME: cannot use " + file},
		"no servers named":  {[]string{"run", "edge"}, nil, "NATS_URL: not set"},
		"no database named": {[]string{"run", "order"}, []string{"NATS_URL=nats://127.0.0.1:1"}, "POSTGRES_SHARD_A_URL: not set"},
		"no broker named":   {[]string{"run", "bridge"}, []string{"NATS_URL=nats://127.0.0.1:1"}, "RABBITMQ_URL: not set"},
		"no store named":    {[]string{"run", "restaurant"}, []string{"NATS_URL=nats://127.0.0.1:1"}, "MONGODB_URL: not set"},
		"no cache named":    {[]string{"run", "tracking"}, []string{"NATS_URL=nats://127.0.0.1:1"}, "REDIS_URL: not set"},
		"unknown role":      {[]string{"run", "chef"}, nil, `no role "chef"`},
		"role twice":        {[]string{"run", "edge", "edge"}, nil, `"edge" is named twice`},
		"unknown command":   {[]string{"down"}, nil, "down"},
		"no fleet":          {[]string{"admin", "create", "--email=a@b.c", "--city=SF"}, []string{"TIFFIN_ADMIN_PASSWORD=12345678"}, "no fleet found"},
		"no stream":         {[]string{"bridge", "dead", "ls"}, nil, "no fleet found"},
		"no shards":         {[]string{"bridge", "reconcile"}, nil, "no shards found"},
		"no time":           {[]string{"bridge", "replay", "--since", "yesterday"}, nil, "--since"},
		"no password":       {[]string{"admin", "create", "--email=a@b.c", "--city=SF"}, nil, "TIFFIN_ADMIN_PASSWORD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vars := append([]string{"TIFFIN_HOME=" + filepath.Join(t.TempDir(), "home"), "API_GATEWAY_PORT=0", "TRACKING_SERVICE_PORT=0"}, c.vars...)
			p := start(t, vars, c.args...)
			require.Equal(t, 1, p.exit(t), p.err)
			lines := strings.Split(strings.TrimSpace(p.err.String()), "\n")
			require.Len(t, lines, 1, p.err)
			require.Contains(t, lines[0], "tiffin: ")
			require.Contains(t, lines[0], c.want)
			require.Empty(t, p.out.String(), "nothing was started")
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "version")
	require.Zero(t, p.exit(t))
	require.True(t, strings.HasPrefix(p.out.String(), "tiffin "), p.out)
}
