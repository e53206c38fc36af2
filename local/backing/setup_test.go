package backing_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/local/backing"
	"tiffin/local/port"
	"tiffin/local/process"
)

const (
	patience = 60 * time.Second
	tick     = 10 * time.Millisecond
)

// bench is what a keeper needs, in folders of its own.
type bench struct {
	dir      string
	launcher *process.Launcher
	ports    *port.Book
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{dir: t.TempDir(), ports: port.NewBook()}
	b.launcher = process.NewLauncher(t.TempDir(), t.TempDir())
	t.Cleanup(func() {
		b.launcher.KillAll()
		b.launcher.Close()
		require.NoError(t, b.ports.Close())
	})
	return b
}

func (b *bench) port(t *testing.T) int {
	t.Helper()
	p, err := b.ports.Take(28500) // below the range from which the kernel takes ports for connections
	require.NoError(t, err)
	return p
}

// kept is a keeper that runs.
type kept struct {
	*backing.Keeper
	stop func()
	err  chan error
}

// keep runs a keeper; it is stopped with the test at the latest.
func (b *bench) keep(t *testing.T, s backing.Server) *kept {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	k := &kept{Keeper: backing.NewKeeper(s, b.launcher, slog.New(slog.DiscardHandler)), stop: cancel, err: make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.err <- k.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return k
}

func (k *kept) awaitReady(t *testing.T) {
	t.Helper()
	select {
	case <-k.Ready():
	case err := <-k.err:
		require.NoError(t, err)
	case <-time.After(patience):
		require.Fail(t, "not ready in time")
	}
}

// kill ends the recorded child as the kernel would.
func kill(t *testing.T, p *process.Process) {
	t.Helper()
	require.NoError(t, syscall.Kill(p.PID(), syscall.SIGKILL))
	<-p.Done()
}

func (b *bench) folder(name string) string { return filepath.Join(b.dir, name) }

// split takes host and port apart.
func split(t *testing.T, address string) (string, int) {
	t.Helper()
	host, text, err := net.SplitHostPort(address)
	require.NoError(t, err)
	number, err := strconv.Atoi(text)
	require.NoError(t, err)
	return host, number
}
