// Package web carries the built browser app inside the binary, so that one file
// serves both the API and the pages that use it.
//
// Invariant: the package compiles on a fresh clone, before any `npm run build`:
// dist then holds a placeholder only, and Built tells the edge to answer with a
// sentence about it instead of a blank page.
package web

import (
	"embed"
	"io/fs"
)

// dist is embedded with "all:" because Vite may emit names that begin with "_"
// or ".", which a plain pattern would silently leave out.
//
//go:embed all:dist
var dist embed.FS

// Dist returns the built app with index.html at its root. Files under assets/
// carry a hash of their content in the name (cache them forever); next to each
// compressible file lie its ".br" and ".gz" forms. Before a build it is empty
// but for a placeholder; see Built.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		// Only an invalid path can fail here, and the path is a constant that
		// the embed directive above has already proven.
		panic("web: embedded dist folder: " + err.Error())
	}
	return sub
}

// Built reports whether the app was built before the binary was compiled.
func Built() bool {
	_, err := fs.Stat(Dist(), "index.html")
	return err == nil
}
