package rig

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"tiffin/local/backing"
	"tiffin/local/port"
	"tiffin/local/process"
)

// Rig is a folder with servers. Its methods are for one goroutine at a time.
type Rig struct {
	// TLS, when set, is all that servers started from then on speak; not NATS.
	TLS *backing.TLSFiles

	dir      string
	ports    *port.Book
	launcher *process.Launcher
	servers  []*Server
}

// Open makes a rig in an absolute folder, which is made when missing.
func Open(dir string) (*Rig, error) {
	run, log := filepath.Join(dir, "run"), filepath.Join(dir, "log")
	// Open to all: PostgreSQL runs as another user when we are root.
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.MkdirAll(run, 0o700), os.MkdirAll(log, 0o700)); err != nil {
		return nil, err
	}
	return &Rig{dir: dir, ports: port.NewBook(), launcher: process.NewLauncher(run, log)}, nil
}

// Close ends whatever runs, the newest first, and gives the ports back. The
// folder stays.
func (r *Rig) Close() error {
	var errs []error
	for i := len(r.servers) - 1; i >= 0; i-- {
		errs = append(errs, r.servers[i].Kill())
	}
	r.launcher.Close()
	return errors.Join(append(errs, r.ports.Close())...)
}

// Port takes a free loopback port, from first on, for as long as the rig lasts.
func (r *Rig) Port(first int) (int, error) { return r.ports.Take(first) }

// Add starts a server and keeps it.
func (r *Rig) Add(ctx context.Context, s backing.Server) (*Server, error) {
	server := &Server{URL: s.URL, server: s, launcher: r.launcher}
	if err := server.Start(ctx); err != nil {
		return nil, err
	}
	r.servers = append(r.servers, server)
	return server, nil
}

// Program runs a command as a server that is ready at once. Env adds to this
// process's environment and wins.
func (r *Rig) Program(ctx context.Context, name, path string, env map[string]string, args ...string) (*Server, error) {
	return r.Add(ctx, backing.Server{
		Name:    name,
		Command: process.Command{Name: name, Path: path, Args: args, Dir: r.dir, Env: environ(env)},
		Probe:   func(context.Context) error { return nil },
	})
}

// LogPath is where the output of the named server goes.
func (r *Rig) LogPath(name string) string { return r.launcher.LogPath(name) }

func environ(env map[string]string) []string {
	out := os.Environ()
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	return out
}
