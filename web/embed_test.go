package web_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/web"
)

// A fresh clone has no build and a released binary has one: both must agree
// with what Built says, or the edge would serve a blank page.
func TestBuiltAgreesWithIndex(t *testing.T) {
	t.Parallel()
	index, err := fs.ReadFile(web.Dist(), "index.html")
	if !web.Built() {
		require.ErrorIs(t, err, fs.ErrNotExist)
		return
	}
	require.NoError(t, err)
	require.Contains(t, string(index), `<div id="root">`)
}

// The edge's Content-Security-Policy forbids inline code, so a build that
// inlines a script would be a page that never starts.
func TestIndexHasNoInlineCode(t *testing.T) {
	t.Parallel()
	if !web.Built() {
		return
	}
	index, err := fs.ReadFile(web.Dist(), "index.html")
	require.NoError(t, err)
	for _, tag := range strings.Split(string(index), "<script")[1:] {
		head, _, _ := strings.Cut(tag, ">")
		require.Contains(t, head, " src=", "inline script: %s", head)
	}
	require.NotContains(t, string(index), "<style")
	require.NotContains(t, string(index), " style=")
}

// Every script and style sheet is there in both compressed forms.
func TestAssetsArePrecompressed(t *testing.T) {
	t.Parallel()
	if !web.Built() {
		return
	}
	dist := web.Dist()
	err := fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		switch path.Ext(name) {
		case ".js", ".css", ".html":
			for _, form := range []string{".br", ".gz"} {
				_, err := fs.Stat(dist, name+form)
				require.NoError(t, err)
			}
		}
		return nil
	})
	require.NoError(t, err)
}
