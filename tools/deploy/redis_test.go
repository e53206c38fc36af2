package deploy_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// shell runs what a container would run, with its environment, on this host: its
// files where they are, on a port of this test's own. tools/servers.sh installs
// Redis.
func shell(t *testing.T, s types.ServiceConfig, script string, port int) *exec.Cmd {
	t.Helper()
	for _, program := range []string{"redis-server", "redis-cli"} {
		_, err := exec.LookPath(program)
		require.NoError(t, err, "run tools/servers.sh")
	}
	folder := t.TempDir()
	entry := filepath.Join(folder, "docker-entrypoint.sh")
	require.NoError(t, os.WriteFile(entry, []byte("#!/bin/sh\nexec \"$@\"\n"), 0o700))
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir, cmd.Env = folder, []string{"PATH=" + folder + ":" + os.Getenv("PATH"), "REDISCLI_PORT=" + strconv.Itoa(port)}
	for name, value := range environment(s) {
		if strings.Contains(value, "/tls/") {
			value = strings.ReplaceAll(value, "/tls/", onHost(t, s, "/tls")+"/")
		}
		cmd.Env = append(cmd.Env, name+"="+strings.ReplaceAll(value, "6379", strconv.Itoa(port)))
	}
	return cmd
}

// Redis by the command of Compose, asked by its health check: with TLS it answers
// TLS, and plain text gets nothing.
func TestRedisOfComposeSpeaksTLS(t *testing.T) {
	t.Parallel()
	s := secured(t).Services["redis"]
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(t, free.Close())
	server := shell(t, s, s.Command[2], port)
	require.NoError(t, server.Start())
	t.Cleanup(func() { _ = server.Wait() }) // the end of the test's context has killed it
	healthy := func(s types.ServiceConfig) error {
		// redis-cli has a flag for its port, and no variable.
		return shell(t, s, strings.Replace(s.HealthCheck.Test[1], "redis-cli", "redis-cli -p $REDISCLI_PORT", 1), port).Run()
	}
	require.Eventually(t, func() bool { return healthy(s) == nil }, 10*time.Second, 100*time.Millisecond)

	without := s
	without.Environment = types.MappingWithEquals{"REDIS_PASSWORD": s.Environment["REDIS_PASSWORD"]}
	require.Error(t, healthy(without), "in plain text")
}
