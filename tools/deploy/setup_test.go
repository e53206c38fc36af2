package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dataKeys is a usable value of DATA_KEYS.
const dataKeys = "test:dGhpcyBpcyBhbiBleGFtcGxlLCBub3QgYSBrZXkhISE="

// root is the project's folder.
const root = "../.."

// binary is tiffin, built once for all tests of this package.
var binary string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "tiffin-deploy-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the test run is over either way
	binary = filepath.Join(dir, "tiffin")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./cmd/tiffin")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build tiffin: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// read gives a file of the project.
func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(data)
}

// variables are the names of .env.example, which a test of package config holds
// to be exactly those that Tiffin reads.
func variables(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=`).FindAllStringSubmatch(read(t, ".env.example"), -1) {
		known[match[1]] = true
	}
	require.NotEmpty(t, known)
	return known
}

// check asks tiffin itself what it thinks of the environment of a container.
func check(t *testing.T, args []string, env map[string]string) error {
	t.Helper()
	require.Equal(t, "run", args[0])
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"run", "--check"}, args[1:]...)...)
	cmd.Dir, cmd.Env = t.TempDir(), []string{}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// accepted demands that Tiffin reads every variable of a container, can use every
// value, and misses none: each of the required ones is missed when left out.
func accepted(t *testing.T, args []string, env map[string]string) {
	t.Helper()
	known := variables(t)
	for name := range env {
		require.True(t, known[name], "%v gets %s, which nothing reads", args, name)
	}
	require.NoError(t, check(t, args, env), "%v", args)
	require.Contains(t, env, "NATS_"+strings.ToUpper(args[1])+"_PASSWORD")
	for _, required := range []string{"NATS_URL", "JWT_SECRET"} {
		less := maps.Clone(env)
		delete(less, required)
		require.ErrorContains(t, check(t, args, less), required, "%v", args)
	}
}
