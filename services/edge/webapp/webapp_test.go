package webapp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"tiffin/services/edge/webapp"
)

func files() fstest.MapFS {
	return fstest.MapFS{
		"index.html":             {Data: []byte("<!doctype html>page")},
		"favicon.svg":            {Data: []byte("<svg/>")},
		"assets/app-1a2b.js":     {Data: []byte("plain js")},
		"assets/app-1a2b.js.br":  {Data: []byte("brotli js")},
		"assets/app-1a2b.js.gz":  {Data: []byte("gzip js")},
		"assets/app-1a2b.css":    {Data: []byte("css")},
		"assets/font-9.woff2":    {Data: []byte("font")},
		"manifest.webmanifest":   {Data: []byte("{}")},
		"assets/blob-0.whatever": {Data: []byte("?")},
	}
}

func serve(t *testing.T, cfg webapp.Config) func(method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	app, err := webapp.New(cfg)
	require.NoError(t, err)
	server := fiber.New()
	server.Use(app.Handle)
	return func(method, path string, headers ...string) (*http.Response, string) {
		t.Helper()
		req := httptest.NewRequest(method, path, nil)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		res, err := server.Test(req, -1)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res, string(body)
	}
}

func TestFilesHaveTheirTypesAndAges(t *testing.T) {
	t.Parallel()
	get := serve(t, webapp.Config{Files: files()})
	const forever = "public, max-age=31536000, immutable"
	for path, want := range map[string][2]string{
		"/":                       {"text/html; charset=utf-8", "no-cache"},
		"/index.html":             {"text/html; charset=utf-8", "no-cache"},
		"/favicon.svg":            {"image/svg+xml", "no-cache"},
		"/assets/app-1a2b.js":     {"text/javascript; charset=utf-8", forever},
		"/assets/app-1a2b.css":    {"text/css; charset=utf-8", forever},
		"/assets/font-9.woff2":    {"font/woff2", forever},
		"/manifest.webmanifest":   {"application/manifest+json", "no-cache"},
		"/assets/blob-0.whatever": {"application/octet-stream", forever},
	} {
		res, _ := get("GET", path)
		require.Equal(t, 200, res.StatusCode, path)
		require.Equal(t, want, [2]string{res.Header.Get("Content-Type"), res.Header.Get("Cache-Control")}, path)
		require.NotEmpty(t, res.Header.Get("ETag"))
	}
}

func TestCompressedFormsGoToThoseWhoTakeThem(t *testing.T) {
	t.Parallel()
	get := serve(t, webapp.Config{Files: files()})
	for accept, want := range map[string][2]string{
		"gzip, deflate, br":              {"brotli js", "br"},
		"gzip":                           {"gzip js", "gzip"},
		"GZIP;q=0.5":                     {"gzip js", "gzip"},
		"br;q=0, gzip":                   {"gzip js", "gzip"},
		"br; q=0.000, gzip; q=0":         {"plain js", ""},
		"identity":                       {"plain js", ""},
		"":                               {"plain js", ""},
		"brotli":                         {"plain js", ""},
		"deflate;q=1.0, br;q=0.1, *;q=0": {"brotli js", "br"},
	} {
		res, body := get("GET", "/assets/app-1a2b.js", "Accept-Encoding", accept)
		require.Equal(t, want, [2]string{body, res.Header.Get("Content-Encoding")}, accept)
		require.Contains(t, res.Header.Get("Vary"), "Accept-Encoding")
	}
	for _, form := range []string{"/assets/app-1a2b.js.br", "/assets/app-1a2b.js.gz"} {
		res, _ := get("GET", form)
		require.Equal(t, 404, res.StatusCode, "a form is no file of its own")
	}
	res, body := get("GET", "/assets/app-1a2b.css", "Accept-Encoding", "br")
	require.Equal(t, "css", body, "not every file has a compressed form")
	require.Empty(t, res.Header.Get("Content-Encoding"))
}

func TestWhatIsCurrentIsNotSentAgain(t *testing.T) {
	t.Parallel()
	get := serve(t, webapp.Config{Files: files()})
	res, _ := get("GET", "/")
	tag := res.Header.Get("ETag")
	for _, header := range []string{tag, `"other", ` + tag} {
		res, body := get("GET", "/", "If-None-Match", header)
		require.Equal(t, 304, res.StatusCode)
		require.Empty(t, body)
	}
	res, _ = get("GET", "/", "If-None-Match", `"other"`)
	require.Equal(t, 200, res.StatusCode)
	other, _ := get("GET", "/favicon.svg")
	require.NotEqual(t, tag, other.Header.Get("ETag"))
}

func TestPathsOfTheAppShowThePage(t *testing.T) {
	t.Parallel()
	get := serve(t, webapp.Config{Files: files(), Prefixes: []string{"/orders", "/ws"}})
	for _, path := range []string{"/", "/track/1", "/sign-in", "/ordersmore", "/a/b/c/"} {
		res, body := get("GET", path)
		require.Equal(t, 200, res.StatusCode, path)
		require.Equal(t, "<!doctype html>page", body)
		require.Contains(t, res.Header.Get("Content-Security-Policy"), "script-src 'self'")
	}
	for _, path := range []string{"/orders", "/orders/1", "/ws", "/missing.js", "/.env", "/assets/app-0000.js", "/index.php"} {
		res, _ := get("GET", path)
		require.Equal(t, 404, res.StatusCode, path)
	}
	res, _ := get("POST", "/track/1")
	require.Equal(t, 404, res.StatusCode, "pages are read")
	res, body := get("HEAD", "/")
	require.Equal(t, 200, res.StatusCode)
	require.Empty(t, body)
}

// Directive by directive: the own host, the two addresses an operator may set, and nothing else.
func TestThePolicyNamesWhatIsSetAndNothingElse(t *testing.T) {
	t.Parallel()
	const cdn, tiles = "https://cdn.example.com", "https://tiles.example.com"
	for name, tc := range map[string]struct {
		cfg         webapp.Config
		own, images string
	}{
		"nothing":    {webapp.Config{}, "'self'", "'self'"},
		"assets":     {webapp.Config{Assets: cdn}, "'self' " + cdn, "'self' " + cdn},
		"tiles":      {webapp.Config{Tiles: tiles}, "'self'", "'self' " + tiles},
		"both":       {webapp.Config{Assets: cdn, Tiles: tiles}, "'self' " + cdn, "'self' " + cdn + " " + tiles},
		"a CDN port": {webapp.Config{Assets: "http://localhost:8081"}, "'self' http://localhost:8081", "'self' http://localhost:8081"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.cfg.Files = files()
			res, _ := serve(t, tc.cfg)("GET", "/")
			have := map[string]string{}
			for directive := range strings.SplitSeq(res.Header.Get("Content-Security-Policy"), "; ") {
				name, sources, _ := strings.Cut(directive, " ")
				have[name] = sources
			}
			require.Equal(t, map[string]string{
				"default-src": "'none'", "script-src": tc.own, "style-src": tc.own, "font-src": tc.own, "connect-src": tc.own,
				"img-src": tc.images, "manifest-src": "'self'", "base-uri": "'none'", "form-action": "'self'", "frame-ancestors": "'none'",
			}, have)
		})
	}
}

func TestABinaryWithoutTheAppSaysSo(t *testing.T) {
	t.Parallel()
	for _, cfg := range []webapp.Config{{}, {Files: fstest.MapFS{".gitkeep": {}}}} {
		res, body := serve(t, cfg)("GET", "/")
		require.Equal(t, 200, res.StatusCode)
		require.Contains(t, body, "/docs")
	}
}
