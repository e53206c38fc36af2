// Package webapp serves the built browser app from memory: hashed assets for
// ever, the page itself always fresh, both compressed when the build brought
// compressed forms, and the page for every path that is the app's own.
//
// Invariant: it never answers for a path of the API. A mistyped API call must
// be a 404 that a program understands, not a page with status 200.
package webapp

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"tiffin/services/edge/inbound"
)

// The entry page, and the two ways in which files may be kept by caches.
const (
	index      = "index.html"
	immutable  = "public, max-age=31536000, immutable"
	revalidate = "no-cache"
)

// placeholder is the page of a binary that was built without the web app.
const placeholder = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tiffin</title>
<p>The API is running; this binary was built without the web app. Read <a href="/docs">the documentation</a>.</p>`

// file is one file of the build with its compressed forms.
type file struct {
	plain, gzip, brotli []byte
	contentType, etag   string
	cache               string
}

// App is the web app. Make it with New.
type App struct {
	files  map[string]*file // by path, beginning with a slash
	policy string           // Content-Security-Policy of pages
	api    []string         // prefixes that belong to the API
}

// Config says where the app is and what it may load.
type Config struct {
	Files    fs.FS    // the build, index.html at its root; nil serves a placeholder
	Assets   string   // origin of the hashed files when it is not this one
	Tiles    string   // origin of street tiles, "": there are none
	Prefixes []string // first segments of API paths, such as /orders
}

// New reads the whole build into memory; it has a few megabytes at most.
func New(cfg Config) (*App, error) {
	a := &App{files: map[string]*file{}, policy: policy(cfg.Assets, cfg.Tiles), api: cfg.Prefixes}
	if cfg.Files != nil {
		if err := a.load(cfg.Files); err != nil {
			return nil, fmt.Errorf("web app: %w", err)
		}
	}
	if a.files["/"+index] == nil {
		a.files["/"+index] = newFile(index, []byte(placeholder))
	}
	return a, nil
}

// policy lets pages run their own scripts and nothing else. Of other hosts it
// names only those the operator has set: where the hashed files are (scripts,
// styles, fonts, images and the map's data), and where street tiles are (images).
func policy(assets, tiles string) string {
	own := strings.TrimSuffix("'self' "+assets, " ")
	images := strings.TrimSuffix(own+" "+tiles, " ")
	return "default-src 'none'; script-src " + own + "; style-src " + own + "; font-src " + own + "; img-src " + images +
		"; connect-src " + own + "; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

// load reads the files with their compressed forms.
func (a *App) load(files fs.FS) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		ext := path.Ext(name)
		if err != nil || d.IsDir() || ext == ".br" || ext == ".gz" {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		f := newFile(name, data)
		if f.brotli, err = optional(files, name+".br"); err != nil {
			return err
		}
		if f.gzip, err = optional(files, name+".gz"); err != nil {
			return err
		}
		a.files["/"+name] = f
		return nil
	})
}

// optional reads a file that need not exist.
func optional(files fs.FS, name string) ([]byte, error) {
	data, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// newFile prepares all that an answer with the file needs.
func newFile(name string, data []byte) *file {
	sum := sha256.Sum256(data)
	// A weak tag, because the compressed forms share it.
	f := &file{plain: data, etag: `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, cache: revalidate}
	if f.contentType = contentType(path.Ext(name)); f.contentType == "" {
		f.contentType = fiber.MIMEOctetStream
	}
	if strings.HasPrefix(name, "assets/") { // the build names these by their content
		f.cache = immutable
	}
	return f
}

// contentType knows what builds contain, because the tables of operating
// systems differ.
func contentType(ext string) string {
	switch ext {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".html":
		return fiber.MIMETextHTMLCharsetUTF8
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".map":
		return fiber.MIMEApplicationJSON
	case ".webmanifest":
		return "application/manifest+json"
	case ".woff2":
		return "font/woff2"
	default:
		return mime.TypeByExtension(ext)
	}
}

// Handle serves files and pages, and passes everything else on. It belongs
// behind all other routes.
func (a *App) Handle(c *fiber.Ctx) error {
	if method := c.Method(); method != fiber.MethodGet && method != fiber.MethodHead {
		return c.Next()
	}
	name := c.Path()
	if name == "/" {
		name += index
	}
	f := a.files[name]
	if f == nil {
		// A path with an extension is a file that is not there; anything else
		// may be a page of the app.
		if a.isAPI(name) || path.Ext(name) != "" {
			return c.Next()
		}
		f = a.files["/"+index]
	}
	in := inbound.From(c)
	in.Route, in.Quiet = "web", true
	return a.send(c, f)
}

// isAPI reports whether the path lies under one of the API's.
func (a *App) isAPI(name string) bool {
	for _, prefix := range a.api {
		if name == prefix || strings.HasPrefix(name, prefix+"/") {
			return true
		}
	}
	return false
}

// send answers with the file, or with the news that the client has it already.
func (a *App) send(c *fiber.Ctx, f *file) error {
	c.Set(fiber.HeaderCacheControl, f.cache)
	c.Set(fiber.HeaderETag, f.etag)
	c.Set(fiber.HeaderContentType, f.contentType)
	c.Set(fiber.HeaderContentSecurityPolicy, a.policy)
	c.Vary(fiber.HeaderAcceptEncoding)
	if strings.Contains(c.Get(fiber.HeaderIfNoneMatch), f.etag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	body, accepted := f.plain, c.Get(fiber.HeaderAcceptEncoding)
	switch {
	case f.brotli != nil && accepts(accepted, "br"):
		body = f.brotli
		c.Set(fiber.HeaderContentEncoding, "br")
	case f.gzip != nil && accepts(accepted, "gzip"):
		body = f.gzip
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	c.Response().SetBodyRaw(body)
	return nil
}

// accepts reads an Accept-Encoding: the coding must be named, and not with the
// weight 0.
func accepts(header, coding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(item), ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && weight != "q=0.0" && weight != "q=0.00" && weight != "q=0.000"
		}
	}
	return false
}
