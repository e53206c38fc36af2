// Package product starts the real binary the way a user does, in a folder and
// on ports of its own, and speaks to it only through what users have. The
// end-to-end tests, the fault campaigns and the benchmarks share it. It
// imports nothing of the fleet.
package product

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Product is a started `tiffin up`.
type Product struct {
	Edge     string            // base URL of the REST edge
	Tracking string            // base URL of the tracking port
	Env      map[string]string // what .tiffin/env says, by variable
	Home     string            // its data folder
	Took     time.Duration     // from start to the first 200 of /readyz

	cmd  *exec.Cmd
	log  *output
	done chan error
}

// Options of a start. Env adds to the process's environment and wins.
type Options struct {
	Binary string
	Home   string // data folder; started again on the same one, the product has its data
	Env    map[string]string
	Limit  time.Duration // how long to wait for ready, default 90s
}

// Build compiles cmd/tiffin into dir and returns the path of the binary. root
// is the project's folder; race adds the race detector.
func Build(root, dir string, race bool) (string, error) {
	binary := filepath.Join(dir, "tiffin")
	args := []string{"build", "-buildvcs=false", "-o", binary}
	if race {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "./cmd/tiffin")...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building tiffin: %w\n%s", err, out)
	}
	return binary, nil
}

// Start runs `tiffin up` on free ports and returns once /readyz answers 200.
// On failure the error carries the program's output.
func Start(o Options) (*Product, error) {
	port, trackingPort := FreePort(), FreePort()
	p := &Product{
		Edge:     fmt.Sprintf("http://127.0.0.1:%d", port),
		Tracking: fmt.Sprintf("http://127.0.0.1:%d", trackingPort),
		Home:     o.Home, log: &output{}, done: make(chan error, 1),
	}
	p.cmd = exec.Command(o.Binary, "up")
	p.cmd.Dir = filepath.Dir(o.Binary)
	p.cmd.Env = append(os.Environ(), "TIFFIN_HOME="+o.Home,
		fmt.Sprintf("API_GATEWAY_PORT=%d", port), fmt.Sprintf("TRACKING_SERVICE_PORT=%d", trackingPort))
	for name, value := range o.Env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	started := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting tiffin up: %w", err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	if o.Limit == 0 {
		o.Limit = 90 * time.Second
	}
	if err := p.AwaitReady(o.Limit); err != nil {
		return nil, fmt.Errorf("%w\nits output:\n%s", errors.Join(err, p.Stop()), p.Output())
	}
	p.Took = time.Since(started)
	env, err := readEnv(filepath.Join(o.Home, "env"))
	p.Env = env
	return p, err
}

// AwaitReady returns once /readyz answers 200, or an error after limit or when
// the process ended.
func (p *Product) AwaitReady(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready within %s", limit)
		case err := <-p.done:
			p.done <- err
			return fmt.Errorf("tiffin up ended before it was ready: %w", err)
		case <-tick.C:
			if ready(p.Edge) {
				return nil
			}
		}
	}
}

// Pid of the product's own process.
func (p *Product) Pid() int { return p.cmd.Process.Pid }

// Output is what the product printed so far.
func (p *Product) Output() string { return p.log.String() }

// Kill ends the product with SIGKILL, as a crash would, and waits for it.
func (p *Product) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	err := <-p.done
	p.done <- err
	return nil
}

// Stop asks as Ctrl-C does and gives the product 30 s to leave cleanly. It is
// nil when the exit was clean.
func (p *Product) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-p.done:
		p.done <- err
		return err
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("still running 30 s after SIGINT"), p.cmd.Process.Kill())
	}
}

// FreePort asks the kernel for a port that nobody has right now.
func FreePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // a machine without loopback ports can run nothing here
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// ready asks once; not reachable is not ready.
func ready(edge string) bool {
	res, err := http.Get(edge + "/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

// readEnv reads NAME=value lines.
func readEnv(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	env := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			env[name] = strings.Trim(value, `"'`)
		}
	}
	return env, nil
}

// output collects what the process prints; it is read while being written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
