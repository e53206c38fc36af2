package web_test

import (
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/web"
)

func read(t *testing.T, files fs.FS, name string) string {
	t.Helper()
	content, err := fs.ReadFile(files, name)
	require.NoError(t, err)
	return string(content)
}

// Without settings the build is served as it is, with its compressed forms.
func TestAppWithoutSettingsIsTheBuild(t *testing.T) {
	t.Parallel()
	files, err := web.App(web.Settings{})
	require.NoError(t, err)
	require.Equal(t, web.Dist(), files)
}

func TestSettingsReachTheApp(t *testing.T) {
	t.Parallel()
	const tiles = "https://tiles.example/{z}/{x}/{y}.png"
	files, err := web.App(web.Settings{MapTilesURL: tiles, AssetURL: "https://cdn.example/tiffin/"})
	require.NoError(t, err)
	if !web.Built() {
		return // nothing to change before a build
	}

	var config map[string]string
	require.NoError(t, json.Unmarshal([]byte(read(t, files, "app-config.json")), &config))
	require.Equal(t, tiles, config["mapTilesUrl"])

	index := read(t, files, "index.html")
	require.Contains(t, index, `src="https://cdn.example/tiffin/assets/`)
	require.NotContains(t, index, `="/assets/`)
	require.Contains(t, index, `src="/theme.js"`, "files without a hash stay at the edge")

	for _, name := range []string{"app-config.json", "index.html"} {
		for _, form := range []string{".br", ".gz"} {
			_, err := fs.ReadFile(files, name+form)
			require.ErrorIs(t, err, fs.ErrNotExist, "the compressed form of the old content")
		}
		info, err := fs.Stat(files, name)
		require.NoError(t, err)
		require.Equal(t, name, info.Name())
		require.EqualValues(t, len(read(t, files, name)), info.Size())
		require.False(t, info.IsDir())
	}
	require.NotEmpty(t, read(t, files, "theme.js.br"), "untouched files keep theirs")
}
