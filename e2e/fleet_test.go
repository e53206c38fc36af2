package e2e_test

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
	"syscall"
	"testing"
	"time"
)

// fleet is the one running product all tests of this package share: orders,
// riders and cities of a test are its own, so tests need not be alone.
var fleet *running

// running is a started `tiffin up`.
type running struct {
	Edge string            // base URL of the REST edge
	Env  map[string]string // what .tiffin/env says
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan error
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run starts the fleet, runs the tests and stops the fleet whatever happened.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tiffin-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	if err := prepare(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fleet, err = start(filepath.Join(dir, "tiffin"), dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := fleet.stop(); err != nil {
		fmt.Fprintf(os.Stderr, "the fleet did not stop cleanly: %v\n%s", err, fleet.log)
		return 1
	}
	return code
}

// prepare builds the binary with the race detector, so that every test here
// also looks for races in the whole fleet, and installs the stock clients.
func prepare(dir string) error {
	build := exec.Command("go", "build", "-race", "-buildvcs=false", "-o", filepath.Join(dir, "tiffin"), "../cmd/tiffin")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building tiffin: %w\n%s", err, out)
	}
	if _, err := os.Stat("clients/node_modules/.package-lock.json"); err == nil {
		return nil
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--prefix", "clients")
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("installing the stock clients with npm: %w\n%s", err, out)
	}
	return nil
}

// start runs `tiffin up` with ports and a home of its own and returns once
// /readyz answers 200.
func start(binary, dir string) (*running, error) {
	port, trackingPort := freePort(), freePort()
	f := &running{Edge: fmt.Sprintf("http://127.0.0.1:%d", port), log: &bytes.Buffer{}, done: make(chan error, 1)}
	f.cmd = exec.Command(binary, "up")
	f.cmd.Dir = dir
	f.cmd.Env = append(os.Environ(),
		"TIFFIN_HOME="+filepath.Join(dir, "home"), "TIFFIN_DEMO=off",
		fmt.Sprintf("API_GATEWAY_PORT=%d", port), fmt.Sprintf("TRACKING_SERVICE_PORT=%d", trackingPort),
		"RATE_LIMIT_GENERAL=0", "RATE_LIMIT_AUTH=0", "RATE_LIMIT_ORDERS=0", "RATE_LIMIT_LOCATION=0",
		"BCRYPT_COST=4", "GORACE=halt_on_error=1",
	)
	f.cmd.Stdout, f.cmd.Stderr = f.log, f.log
	if err := f.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting tiffin up: %w", err)
	}
	go func() { f.done <- f.cmd.Wait() }()
	if err := f.awaitReady(90 * time.Second); err != nil {
		return nil, errors.Join(err, f.stop(), fmt.Errorf("its output:\n%s", f.log))
	}
	env, err := readEnv(filepath.Join(dir, "home", "env"))
	f.Env = env
	return f, err
}

func (f *running) awaitReady(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready within %s", limit)
		case err := <-f.done:
			f.done <- err
			return fmt.Errorf("tiffin up ended before it was ready: %w", err)
		case <-tick.C:
			if res, err := http.Get(f.Edge + "/readyz"); err == nil {
				drain(res)
				if res.StatusCode == http.StatusOK {
					return nil
				}
			}
		}
	}
}

// stop asks as Ctrl-C does and gives the fleet 30 s to leave cleanly.
func (f *running) stop() error {
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-f.done:
		return err
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("still running 30 s after SIGINT"), f.cmd.Process.Kill())
	}
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
			env[name] = strings.Trim(value, `"`)
		}
	}
	return env, nil
}

// freePort asks the kernel for a port that nobody has right now.
func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func drain(res *http.Response) {
	_, err := io.Copy(io.Discard, res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		panic(err)
	}
}
