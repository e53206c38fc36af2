package holder

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tiffin/local/process"
)

// Socket is the name of the holder's socket in its folder.
const Socket = "sock"

// Answer is what a client learns about a server: its URLs by name, or why it
// does not run.
type Answer struct {
	URLs  map[string]string `json:"urls,omitempty"`
	Error string            `json:"error,omitempty"`
}

// Config says where a holder lives and for how long.
type Config struct {
	// Dir holds the socket, the data and the logs. Whatever data is there is
	// wiped, and servers that an earlier holder left behind are ended.
	Dir string
	// Idle is how long it lives with nobody connected; zero means until ctx
	// ends.
	Idle time.Duration
	// Eager starts all servers at once instead of on demand.
	Eager bool
	Log   *slog.Logger
}

// Serve runs until ctx ends or nobody has been connected for Idle. All servers
// have ended when it returns. onListen, when set, is called once clients can
// connect. A second holder of the same folder waits for the first to end.
func Serve(ctx context.Context, c Config, onListen func()) error {
	lock, err := lockFolder(c.Dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	set, err := newSet(ctx, c)
	if err != nil {
		return err
	}
	defer set.close()
	path := filepath.Join(c.Dir, Socket)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	if c.Eager {
		set.startAll()
	}
	if onListen != nil {
		onListen()
	}
	return accept(set.ctx, l, set, c.Idle)
}

// lockFolder makes the folder and waits until it is ours. The lock ends with
// the process.
func lockFolder(dir string) (io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "holder.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// newSet empties the folder and prepares the servers in it.
func newSet(ctx context.Context, c Config) (*set, error) {
	run, log, data := filepath.Join(c.Dir, "run"), filepath.Join(c.Dir, "log"), filepath.Join(c.Dir, "data")
	if _, err := process.Reap(ctx, run, 5*time.Second); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(data); err != nil {
		return nil, err
	}
	for _, dir := range []string{run, log, data} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	return openSet(ctx, data, process.NewLauncher(run, log), c.Log), nil
}

// accept serves clients until ctx ends or the last one has been gone for idle.
func accept(ctx context.Context, l net.Listener, s *set, idle time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		// Closing is how Accept below learns of the end.
		_ = l.Close()
	})
	defer stop()
	users := newCounter(idle, cancel)
	defer users.stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		users.add()
		wg.Go(func() {
			defer users.done()
			serve(ctx, conn, s)
		})
	}
}

// serve answers one client and waits until it lets go.
func serve(ctx context.Context, conn net.Conn, s *set) {
	stop := context.AfterFunc(ctx, func() {
		// Both ends hang up alike.
		_ = conn.Close()
	})
	defer stop()
	defer conn.Close()
	in := bufio.NewReader(conn)
	name, err := in.ReadString('\n')
	if err != nil {
		return
	}
	var answer Answer
	if answer.URLs, err = s.urls(ctx, strings.TrimSpace(name)); err != nil {
		answer.Error = err.Error()
	}
	if json.NewEncoder(conn).Encode(answer) != nil {
		return
	}
	// The client says nothing more; the end of its stream is the news.
	_, _ = io.Copy(io.Discard, in)
}

// counter calls expire when nobody was counted for idle.
type counter struct {
	idle  time.Duration
	mu    sync.Mutex
	n     int
	timer *time.Timer
}

func newCounter(idle time.Duration, expire func()) *counter {
	if idle == 0 {
		return &counter{}
	}
	return &counter{idle: idle, timer: time.AfterFunc(idle, expire)}
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	if c.timer != nil {
		c.timer.Stop()
	}
}

func (c *counter) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n--; c.n == 0 && c.timer != nil {
		c.timer.Reset(c.idle)
	}
}

func (c *counter) stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
}

// Ask connects to the holder at the socket, asks for a server and returns its
// URLs with the connection that keeps it. It waits for a server that is still
// starting. io.EOF means that the holder is just ending.
func Ask(ctx context.Context, socket, name string) (map[string]string, io.Closer, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, nil, err
	}
	urls, err := ask(ctx, conn, name)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return urls, conn, nil
}

func ask(ctx context.Context, conn net.Conn, name string) (map[string]string, error) {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if _, err := fmt.Fprintln(conn, name); err != nil {
		return nil, err
	}
	var answer Answer
	if err := json.NewDecoder(conn).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	return answer.URLs, nil
}
