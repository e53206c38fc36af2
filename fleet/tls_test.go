package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/config"
	"tiffin/local/backing"
	"tiffin/local/testenv"
	"tiffin/shard"
)

// plainly is a URL that asks for no TLS: it is TLS_CA that must.
func plainly(t *testing.T, raw string) string {
	t.Helper()
	for secure, plain := range map[string]string{"rediss:": "redis:", "amqps:": "amqp:", "tls:": "nats:"} {
		if rest, found := strings.CutPrefix(raw, secure); found {
			raw = plain + rest
		}
	}
	u, err := url.Parse(raw)
	require.NoError(t, err)
	u.RawQuery = ""
	return u.String()
}

// secured names TLS servers in URLs that do not ask for it.
func secured(t *testing.T, servers testenv.SecureServers) config.Config {
	t.Helper()
	c, nats := configure(t)
	c.NATSURL, c.RedisURL = plainly(t, servers.NATS), plainly(t, servers.Redis)
	c.RabbitMQURL, c.MongoURL = plainly(t, servers.RabbitMQ), plainly(t, servers.Mongo)
	conn, err := pgx.Connect(t.Context(), servers.Postgres)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	for i, s := range c.Shards {
		_, err := conn.Exec(t.Context(), "create database shard_"+s.ID)
		require.NoError(t, err)
		u, err := url.Parse(plainly(t, servers.Postgres))
		require.NoError(t, err)
		u.Path = "/shard_" + s.ID
		c.Shards[i].URL = u.String() // with sslmode=prefer, which on its own would go on in plain text
	}
	for _, role := range config.NATSRoles {
		c.NATSPasswords[role] = nats.Password(role)
	}
	return c
}

// TestTheWholeFleetSpeaksTLS runs every role on six servers that know nothing
// else, with URLs that do not ask for it, and is reached over HTTPS.
func TestTheWholeFleetSpeaksTLS(t *testing.T) {
	t.Parallel()
	files, other := testenv.Authority(t), testenv.Authority(t)
	c := withProbes(t, secured(t, testenv.Secure(t, files)))
	c.TLSCert, c.TLSKey, c.TLSCA = files.Cert, files.Key, files.CA
	r := start(t, Config{Config: c, Roles: Roles})
	client := httpsClient(t, files)
	secure := strings.Replace(urlOf(c), "http:", "https:", 1)
	require.Eventually(t, func() bool {
		res, err := client.Get(secure + "/readyz")
		return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
	}, patience, tick)
	res, err := client.Get(secure + "/healthz")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NotEmpty(t, res.Header.Get("Strict-Transport-Security"))
	_, err = httpsClient(t, other).Get(secure + "/healthz")
	require.ErrorContains(t, err, "unknown authority")
	require.False(t, ready(c), "nothing is served in plain text")
	require.Eventually(t, func() bool { status, _ := says(c.HealthAddr); return status == http.StatusOK },
		patience, tick, "but for probes and figures, which must outlive a certificate")
	_, scrape := ask(c.HealthAddr, "/metrics")
	for _, variable := range []string{"TLS_CERT", "TLS_CA"} {
		require.Contains(t, scrape, `tiffin_tls_certificate_expiry_timestamp_seconds{variable="`+variable+`"} 1.`)
	}
	r.stop()
	require.NoError(t, <-r.done)
	r.done <- nil

	t.Run("wrong authority", func(t *testing.T) { refuses(t, c, other, "unknown authority") })
}

// TestNoTLSIsNoWayIn: with TLS_CA set, servers that offer plain text alone are
// refused by every client.
func TestNoTLSIsNoWayIn(t *testing.T) {
	t.Parallel()
	c, _ := configure(t)
	refuses(t, c, testenv.Authority(t), "")
}

// refuses shows that every client says no, and why, with the authority given.
func refuses(t *testing.T, c config.Config, files *backing.TLSFiles, why string) {
	t.Helper()
	c.TLSCert, c.TLSKey, c.TLSCA = files.Cert, files.Key, files.CA
	started := time.Now()
	err := Run(t.Context(), Config{Config: c, Roles: []string{"bridge"}, Log: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, "TLS_CA")
	require.Less(t, time.Since(started), natsPatience/2, "waiting would not mend it")

	redis, err := openRedis(c)
	require.NoError(t, err)
	defer redis.Close()
	require.ErrorContains(t, redis.Ping(t.Context()).Err(), why)

	shards, err := ShardConfig(c)
	require.NoError(t, err)
	router, err := shard.NewRouter(shards)
	require.NoError(t, err)
	set, err := shard.Open(t.Context(), router, shards, shard.Options{})
	require.NoError(t, err)
	defer set.Close()
	for name, err := range set.Health(t.Context()) {
		require.ErrorContains(t, err, why, name)
	}

	// The two that only their own packages open: a fleet on a NATS it can reach
	// says in its log what is wrong with them.
	plain, nats := configure(t)
	plain.RabbitMQURL, plain.MongoURL, plain.TLSCA = c.RabbitMQURL, c.MongoURL, c.TLSCA
	plain.NATSURL, plain.Private = nats.URL, []string{"NATS_URL", "REDIS_URL"}
	r := start(t, Config{Config: plain, Roles: []string{"bridge", "restaurant"}})
	for _, who := range []string{"not relaying", "indexes could not be made yet"} {
		require.Eventually(t, func() bool {
			for line := range strings.Lines(r.log.String()) {
				if strings.Contains(line, who) && (strings.Contains(line, why) && strings.Contains(line, "tls") || strings.Contains(line, "EOF")) {
					return true
				}
			}
			return false
		}, patience, tick, who)
	}
	r.stop()
	require.NoError(t, <-r.done)
	r.done <- nil
}

func httpsClient(t *testing.T, files *backing.TLSFiles) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(files.CA)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem))
	return &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
	}}
}

func TestTLSFilesThatCannotBeUsedNameTheirVariable(t *testing.T) {
	t.Parallel()
	files := testenv.Authority(t)
	for _, bad := range []config.Config{
		{TLSCert: files.Cert, TLSKey: files.CA}, {TLSCert: "/absent", TLSKey: files.Key},
	} {
		_, err := bad.ServerTLS()
		require.ErrorContains(t, err, "TLS_CERT, TLS_KEY: ")
	}
	for _, path := range []string{"/absent", files.Key} {
		_, err := config.Config{TLSCA: path}.ClientTLS("REDIS_URL")
		require.ErrorContains(t, err, "TLS_CA: ")
	}
}
