package edge_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"tiffin/services/edge"
	"tiffin/services/edge/problem"
	"tiffin/services/edge/rest"
)

func TestTheWebAppIsServedBehindTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *edge.Config) {
		c.AssetURL = "https://cdn.example.com/tiffin"
		c.MapTilesURL = "https://tiles.example.com/{z}/{x}/{y}.png"
		c.Web = fstest.MapFS{"index.html": {Data: []byte("<!doctype html>app")}, "assets/app-1a2b.js": {Data: []byte("run()")}}
	})
	for _, path := range []string{"/", "/track/" + orderID, "/sign-in"} {
		got := w.get(t, path)
		require.Equal(t, http.StatusOK, got.status)
		require.Equal(t, "<!doctype html>app", got.body)
		policy := got.header.Get("Content-Security-Policy")
		require.Contains(t, policy, "script-src 'self' https://cdn.example.com;")
		require.Contains(t, policy, "img-src 'self' https://cdn.example.com https://tiles.example.com;")
		require.NotContains(t, policy, "unsafe")
	}
	require.Equal(t, "run()", w.get(t, "/assets/app-1a2b.js").body)
	require.Equal(t, http.StatusNotFound, w.get(t, "/orders/x/y").status)
	require.Contains(t, newWorld(t).get(t, "/").body, "/docs", "without a build there is a hint")
}

// The page shows every route and every kind of problem, needs nothing from
// elsewhere, and has no dead links inside.
func TestDocsPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.get(t, "/docs")
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.header.Get("Content-Type"), "text/html")
	for _, r := range rest.Routes() {
		require.Contains(t, got.body, `id="`+r.ID()+`"`)
	}
	for _, kind := range problem.Kinds() {
		require.Contains(t, got.body, strings.TrimPrefix(problem.TypeURI(kind.Slug), "/docs#"))
	}
	for _, link := range regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(got.body, -1) {
		switch target := link[1]; {
		case strings.HasPrefix(target, "#"):
			require.Contains(t, got.body, `id="`+target[1:]+`"`, "dead link")
		case target == "/favicon.svg": // the web app's
		default:
			require.True(t, strings.HasPrefix(target, "/"), "%s is elsewhere", target)
			require.Equal(t, http.StatusOK, w.get(t, target).status, target)
		}
	}
	require.NotRegexp(t, `<script>|<style|style="|onclick=`, got.body, "the policy would refuse them")
}
