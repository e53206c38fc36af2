package local

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// value is what a variable may hold: one line without NUL, as environments do.
var value = rapid.StringMatching(`[^\x00\r\n]*`)

func TestEnvFileIsReadBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "env")
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOf(rapid.StringMatching(`[A-Z][A-Z0-9_]{0,20}`), value).Draw(t, "variables")
		var vars []variable
		for name, v := range want {
			vars = append(vars, variable{name, v})
		}
		require.NoError(t, writeFile(path, formatEnv(vars)))
		got, err := readEnv(path)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestEnvFileForShellsAndGodotenv(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "env")
	vars := []variable{
		{"PLAIN", "postgresql://tiffin:t0f@127.0.0.1:5432/shard_a?sslmode=disable"},
		{"MANY", "postgresql://h/d?a=b&c=d;e"},
		{"SPACES", "two words"},
		{"HOSTILE", `$(touch hacked) ${HOME} "quoted" \n #`},
		{"EMPTY", ""},
	}
	require.NoError(t, writeFile(path, formatEnv(vars)))
	parsed, err := godotenv.Read(path)
	require.NoError(t, err)
	for _, v := range vars {
		out, err := exec.Command("sh", "-c", `. "$1" && printf %s "$`+v.name+`"`, "sh", path).Output()
		require.NoError(t, err)
		require.Equal(t, v.value, string(out), v.name)
		require.Equal(t, v.value, parsed[v.name], v.name)
	}
	out, err := exec.Command("sh", "-c", `. "$1" && printf %s "$QUOTE"`, "sh", quoted(t)).Output()
	require.NoError(t, err)
	require.Equal(t, `it's`, string(out))
}

// quoted is a file with the one character that single quotes cannot hold.
func quoted(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "env")
	require.NoError(t, writeFile(path, formatEnv([]variable{{"QUOTE", `it's`}})))
	return path
}

func TestEnvFileIsWholeAndPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "env")
	require.NoError(t, writeFile(path, []byte("A=1\n")))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, writeFile(path, []byte(strings.Repeat("A=2\n", 1000))))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "no half-written file stays beside it")

	require.Error(t, writeFile(filepath.Join(dir, "none", "env"), nil))
	missing, err := readEnv(filepath.Join(dir, "other"))
	require.NoError(t, err)
	require.Empty(t, missing)
}

func FuzzReadEnv(f *testing.F) {
	f.Add("A=1\nB='two words'\n")
	f.Add("=\n==\nA='\n'")
	f.Fuzz(func(t *testing.T, content string) {
		path := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readEnv(path); err != nil {
			t.Fatal(err)
		}
	})
}
