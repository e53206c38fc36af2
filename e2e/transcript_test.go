package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// said is one JSON line of a stock client.
type said struct {
	Event      string `json:"event"`
	Data       object `json:"data"`
	Properties object `json:"properties"`
}

// transcript collects what a stock client prints and lets tests wait for it.
type transcript struct {
	stdin  io.WriteCloser // of the client
	mu     sync.Mutex
	lines  []said
	stderr bytes.Buffer
}

// node runs a script of clients/ until the test ends.
func node(t *testing.T, script string, args ...string) *transcript {
	t.Helper()
	out := &transcript{}
	cmd := exec.Command("node", append([]string{"clients/" + script}, args...)...)
	cmd.Stderr = &out.stderr
	var err error
	out.stdin, err = cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			out.add(lines.Bytes())
		}
	}()
	t.Cleanup(func() {
		require.NoError(t, out.stdin.Close())
		<-read
		require.NoError(t, cmd.Wait(), "%s", &out.stderr)
	})
	return out
}

func (tr *transcript) add(line []byte) {
	var s said
	if err := json.Unmarshal(line, &s); err != nil {
		s = said{Event: "unreadable", Data: object{"line": string(line)}}
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.lines = append(tr.lines, s)
}

// await returns the first line that matches, from the beginning of the
// transcript on, and fails after a minute. Several tests may wait on one client.
func (tr *transcript) await(t *testing.T, event string, match func(object) bool) said {
	t.Helper()
	var found said
	require.Eventually(t, func() bool {
		for _, s := range tr.all() {
			if s.Event == event && (match == nil || match(s.Data)) {
				found = s
				return true
			}
		}
		return false
	}, time.Minute, 5*time.Millisecond, "never said %s: %s", event, tr)
	return found
}

func (tr *transcript) all() []said {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return append([]said(nil), tr.lines...)
}

// only lists the data of all lines with that event.
func (tr *transcript) only(event string) []object {
	var out []object
	for _, s := range tr.all() {
		if s.Event == event {
			out = append(out, s.Data)
		}
	}
	return out
}

func (tr *transcript) String() string {
	var b strings.Builder
	for _, s := range tr.all() {
		fmt.Fprintf(&b, "%s %v\n", s.Event, s.Data)
	}
	return b.String()
}
