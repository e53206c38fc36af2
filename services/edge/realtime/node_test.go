package realtime_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// installed runs npm ci once, when the clients are not there yet.
var installed = sync.OnceValue(func() error {
	if _, err := exec.LookPath("node"); err != nil {
		return fmt.Errorf("node is needed for the stock clients of these tests: install nodejs and npm: %w", err)
	}
	if _, err := os.Stat(filepath.Join("clienttest", "node_modules", "socket.io-client")); err == nil {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	cmd.Dir = "clienttest"
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in clienttest: %w\n%s", err, out)
	}
	return nil
})

// node is a process with one stock client.
type node struct {
	t       testing.TB
	process *os.Process
	in      io.WriteCloser
	reports chan report
	acks    int
}

// report is a line of the driver.
type report struct {
	Event string
	Ack   int
	Data  json.RawMessage
}

// startNode starts the driver. It ends with the test.
func startNode(t testing.TB) *node {
	t.Helper()
	require.NoError(t, installed())
	cmd := exec.Command("node", "driver.mjs")
	cmd.Dir = "clienttest"
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	n := &node{t: t, process: cmd.Process, in: in, reports: make(chan report, 10_000)}
	go n.read(out)
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
	})
	n.until("ready")
	return n
}

func (n *node) read(out io.Reader) {
	defer close(n.reports)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r report
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			n.reports <- r
		}
	}
}

// signal sends a signal to the driver's process.
func (n *node) signal(sig os.Signal) {
	n.t.Helper()
	require.NoError(n.t, n.process.Signal(sig))
}

// do gives the driver a command.
func (n *node) do(command map[string]any) {
	n.t.Helper()
	line, err := json.Marshal(command)
	require.NoError(n.t, err)
	_, err = n.in.Write(append(line, '\n'))
	require.NoError(n.t, err)
}

// next gives the next report that is wanted, passing over others.
func (n *node) next(want func(report) bool, what string) report {
	n.t.Helper()
	deadline := time.After(20 * time.Second)
	var seen []string
	for {
		select {
		case r, ok := <-n.reports:
			if !ok {
				require.FailNow(n.t, "the driver ended", "waiting for %s; seen %v", what, seen)
			}
			if want(r) {
				return r
			}
			seen = append(seen, fmt.Sprintf("%s%d%s", r.Event, r.Ack, r.Data))
		case <-deadline:
			require.FailNow(n.t, "nothing came", "waiting for %s; seen %v", what, seen)
		}
	}
}

// until waits for an event and gives its data.
func (n *node) until(event string) json.RawMessage {
	n.t.Helper()
	return n.next(func(r report) bool { return r.Event == event }, event).Data
}

// emit sends an event and gives the acknowledgement.
func (n *node) emit(event string, args ...any) json.RawMessage {
	n.t.Helper()
	n.acks++
	id := n.acks
	n.do(map[string]any{"cmd": "emit", "id": id, "event": event, "args": args})
	return n.next(func(r report) bool { return r.Ack == id }, "the ack of "+event).Data
}

// connect opens a socket.io-client and waits until it is connected.
func (n *node) connect(e *edge, token string, options map[string]any) {
	n.t.Helper()
	n.open(e, token, options)
	n.until("connect")
}

func (n *node) open(e *edge, token string, options map[string]any) {
	n.t.Helper()
	all := map[string]any{}
	if token != "" {
		all["auth"] = map[string]string{"token": token}
	}
	for k, v := range options {
		all[k] = v
	}
	n.do(map[string]any{"cmd": "io", "url": "http://" + e.addr, "options": all})
}

// becomes waits until the client uses the transport.
func (n *node) becomes(transport string) {
	n.t.Helper()
	require.Eventually(n.t, func() bool {
		n.do(map[string]any{"cmd": "transport"})
		return decode[string](n.t, n.until("transport")) == transport
	}, 10*time.Second, 20*time.Millisecond)
}

// decode reads JSON into T.
func decode[T any](t testing.TB, data json.RawMessage) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(data, &v), string(data))
	return v
}
