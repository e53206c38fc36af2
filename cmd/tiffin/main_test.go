package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv/holder"
)

const (
	patience = 2 * time.Minute
	tick     = 50 * time.Millisecond
)

// binary is the real thing, built once for all tests of this package.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tiffin-binary-")
	if err == nil {
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "tiffin")
		err = build(binary)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func build(target string) error {
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", target, ".").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build tiffin: %w\n%s", err, out)
	}
	return holder.BuildFerret(context.Background())
}

// program is a started tiffin with its output.
type program struct {
	cmd  *exec.Cmd
	out  *output // standard output
	err  *output // standard error
	done chan struct{}
	code int
}

// start runs tiffin in a folder of its own. The environment is this test's
// with vars on top; nothing of a fleet that runs beside it.
func start(t *testing.T, vars []string, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(binary, args...), out: &output{}, err: &output{}, done: make(chan struct{})}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append(os.Environ(), vars...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	// Ctrl-C of whoever runs the tests is for the tests.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.done)
		var exit *exec.ExitError
		if err := p.cmd.Wait(); errors.As(err, &exit) {
			p.code = exit.ExitCode()
		}
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.done
	})
	return p
}

// signal may find it gone already.
func (p *program) signal(sig syscall.Signal) {
	_ = p.cmd.Process.Signal(sig)
}

// exit waits for the end and returns the exit code.
func (p *program) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		require.Fail(t, "still running")
	}
	return p.code
}

// says waits until standard output holds the text.
func (p *program) says(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(p.out.String(), text) }, patience, tick, "%s", p.err)
}

// output is a buffer that can be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// leftovers lists the living processes that have to do with a home folder: it
// is in their command line, or in the environment they were started with.
func leftovers(t *testing.T, home string) []string {
	t.Helper()
	pids, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	var left []string
	for _, dir := range pids {
		command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(command) == 0 {
			continue // gone, or a zombie
		}
		env, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err != nil {
			continue // gone, or somebody else's
		}
		if bytes.Contains(command, []byte(home)) || bytes.Contains(env, []byte(home)) {
			left = append(left, filepath.Base(dir)+" "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return left
}
