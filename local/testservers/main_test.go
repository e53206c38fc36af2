package main_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const patience = 2 * time.Minute

// build compiles the command under test.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "testservers")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

func TestTheCommandHasServersAndItsExitCodeCounts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	seen := filepath.Join(t.TempDir(), "socket")
	cmd := exec.CommandContext(ctx, build(t), "--", "sh", "-c", `test -S "$TIFFIN_TEST_SERVERS" && printf %s "$TIFFIN_TEST_SERVERS" >"$1"; exit 3`, "sh", seen)
	out, err := cmd.CombinedOutput()
	require.Equal(t, 3, exitCode(err), string(out))
	socket, err := os.ReadFile(seen)
	require.NoError(t, err)
	require.NoDirExists(t, filepath.Dir(string(socket)), "everything is gone afterwards")
}

func TestASignalEndsTheCommandAndTheServers(t *testing.T) {
	t.Parallel()
	seen := filepath.Join(t.TempDir(), "socket")
	cmd := exec.Command(build(t), "--", "sh", "-c", `printf %s "$TIFFIN_TEST_SERVERS" >"$1.part"; mv "$1.part" "$1"; exec sleep 1000`, "sh", seen)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	var dir string
	require.Eventually(t, func() bool {
		socket, err := os.ReadFile(seen)
		dir = filepath.Dir(string(socket))
		return err == nil
	}, patience, 20*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.Error(t, cmd.Wait())
	require.NoDirExists(t, dir)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(build(t)).CombinedOutput()
	require.Equal(t, 2, exitCode(err))
	require.True(t, strings.HasPrefix(string(out), "testservers: usage: "), string(out))
}
