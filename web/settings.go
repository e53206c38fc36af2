package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// Settings are what an operator may change about the app without building it again. The zero value changes nothing.
type Settings struct {
	// MapTilesURL is where the map gets street tiles, such as https://tiles.example/{z}/{x}/{y}.png. Empty: the app
	// draws the outlines it brings along.
	MapTilesURL string
	// AssetURL is where index.html finds the hashed assets, such as https://cdn.example/tiffin. Empty: beside it.
	AssetURL string
}

// App returns Dist as the settings want it: app-config.json tells the app about tiles, and index.html points to the
// assets' own address. It fails only when the build itself cannot be read.
func App(s Settings) (fs.FS, error) {
	dist := Dist()
	if !Built() || s == (Settings{}) {
		return dist, nil
	}
	config, err := json.Marshal(map[string]string{"mapTilesUrl": s.MapTilesURL})
	if err != nil {
		return nil, fmt.Errorf("web: app-config.json: %w", err)
	}
	changed := overlay{FS: dist, files: map[string][]byte{"app-config.json": config}}
	if s.AssetURL != "" {
		index, err := fs.ReadFile(dist, "index.html")
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		// Only the page names assets from the root; they find each other relative to themselves.
		base := strings.TrimSuffix(s.AssetURL, "/")
		changed.files["index.html"] = bytes.ReplaceAll(index, []byte(`="/assets/`), []byte(`="`+base+`/assets/`))
	}
	return changed, nil
}

// overlay is a file system in which some files have another content.
type overlay struct {
	fs.FS
	files map[string][]byte
}

// Open hides the compressed forms of changed files: they hold what the files were.
func (o overlay) Open(name string) (fs.File, error) {
	if content, ok := o.files[name]; ok {
		return &memory{Reader: bytes.NewReader(content), name: name}, nil
	}
	for _, form := range []string{".br", ".gz"} {
		if plain, ok := strings.CutSuffix(name, form); ok && o.files[plain] != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
	}
	return o.FS.Open(name)
}

// memory is an open file that never was on disk; it is its own description.
type memory struct {
	*bytes.Reader
	name string
}

var (
	_ io.ReadSeeker = (*memory)(nil)
	_ fs.FileInfo   = (*memory)(nil)
)

// Stat returns the file itself.
func (m *memory) Stat() (fs.FileInfo, error) { return m, nil }

// Close does nothing.
func (m *memory) Close() error { return nil }

// Name returns the last element of the path.
func (m *memory) Name() string { return m.name }

// Size returns the length in bytes.
func (m *memory) Size() int64 { return m.Reader.Size() }

// Mode says that everybody may read it.
func (m *memory) Mode() fs.FileMode { return 0o444 }

// ModTime returns the zero time, as embedded files do.
func (m *memory) ModTime() time.Time { return time.Time{} }

// IsDir reports false.
func (m *memory) IsDir() bool { return false }

// Sys returns nil.
func (m *memory) Sys() any { return nil }
