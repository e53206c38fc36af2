package deploy_test

import (
	"bufio"
	"crypto/tls"
	"flag"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

var nodes = []string{"nats-1", "nats-2", "nats-3"}

// node are the options that nats-server takes from the command and the files of a
// container: with the files where they are on this host, and nothing else changed.
func node(t *testing.T, s types.ServiceConfig) *server.Options {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"nats.conf", "fleet.conf"} {
		data, err := os.ReadFile(onHost(t, s, "/etc/nats/"+name))
		require.NoError(t, err)
		text := strings.ReplaceAll(string(data), `"/tls/`, `"`+onHost(t, s, "/tls")+`/`)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	args := []string{}
	for _, arg := range s.Command {
		args = append(args, strings.Replace(arg, "/etc/nats/", folder+"/", 1))
	}
	flags := flag.NewFlagSet("nats-server", flag.ContinueOnError)
	opts, err := server.ConfigureOptions(flags, args, func() {}, func() {}, func() {})
	require.NoError(t, err, s.Name)
	return opts
}

// onLoopback gives the nodes addresses of this machine in place of names that
// only Compose resolves. Their names, passwords, accounts and TLS stay.
func onLoopback(t *testing.T, all []*server.Options) {
	t.Helper()
	routes := []*url.URL{}
	for _, opts := range all {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		port := free.Addr().(*net.TCPAddr).Port
		require.NoError(t, free.Close())
		require.Equal(t, 4222, opts.Port, "the port of the roles' URLs")
		opts.Host, opts.Port, opts.HTTPPort = "127.0.0.1", -1, 0
		opts.Cluster.Host, opts.Cluster.Port = "127.0.0.1", port
		routes = append(routes, &url.URL{Scheme: "nats", User: opts.Routes[0].User, Host: "127.0.0.1:" + strconv.Itoa(port)})
	}
	for _, opts := range all {
		require.Len(t, opts.Routes, len(all))
		opts.StoreDir, opts.NoSigs, opts.NoLog, opts.Routes = t.TempDir(), true, true, routes
	}
}

// The three nodes of Compose with TLS, run in this process: they find each other
// by certificates, and neither a client nor a node gets in by plain text.
func TestTheNATSNodesOfComposeSpeakTLS(t *testing.T) {
	p := secured(t)
	var all []*server.Options
	for _, name := range nodes {
		for variable, value := range environment(p.Services[name]) {
			t.Setenv(variable, value)
		}
		all = append(all, node(t, p.Services[name]))
		require.Equal(t, name, all[len(all)-1].ServerName)
	}
	onLoopback(t, all)
	var servers []*server.Server
	for _, opts := range all {
		s, err := server.NewServer(opts)
		require.NoError(t, err)
		s.Start()
		t.Cleanup(s.WaitForShutdown)
		t.Cleanup(s.Shutdown)
		servers = append(servers, s)
	}
	for _, s := range servers {
		require.True(t, s.ReadyForConnections(10*time.Second))
	}
	require.Eventually(t, func() bool {
		return servers[0].JetStreamIsLeader() || servers[1].JetStreamIsLeader() || servers[2].JetStreamIsLeader()
	}, 30*time.Second, 50*time.Millisecond, "the nodes have found each other and elected one")
	for _, opts := range all {
		require.Equal(t, tls.RequireAndVerifyClientCert, opts.Cluster.TLSConfig.ClientAuth, "nodes prove who they are")
	}
	require.Contains(t, hello(t, servers[0]), `"tls_required":true`)
}

// hello is what the server says first to a client.
func hello(t *testing.T, s *server.Server) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", s.Addr().String(), time.Second)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	return line
}
