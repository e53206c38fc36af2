package local

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOneOwnerPerHome(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "home")
	h, err := openHome(path)
	require.NoError(t, err)
	_, err = openHome(path)
	require.ErrorIs(t, err, ErrBusy)
	require.ErrorContains(t, err, "pid ")
	require.NotContains(t, err.Error(), "\n")
	h.release()
	again, err := openHome(path)
	require.NoError(t, err)
	again.release()
}

func TestHomeLetsServersOfOtherUsersThrough(t *testing.T) {
	t.Parallel()
	h, err := openHome(filepath.Join(t.TempDir(), "home"))
	require.NoError(t, err)
	t.Cleanup(h.release)
	info, err := os.Stat(h.path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o711), info.Mode().Perm())
	for _, dir := range []string{h.run(), h.logs()} {
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	}
}

func TestHomeThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, path := range []string{filepath.Join(file, "home"), "/proc/tiffin"} {
		_, err := openHome(path)
		require.ErrorContains(t, err, "TIFFIN_HOME: cannot use "+path)
		require.NotContains(t, err.Error(), "\n")
	}
}
