package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// object is a JSON object as an outsider sees it.
type object = map[string]any

// person is a REST client, signed in after register.
type person struct {
	t     *testing.T
	Token string
	User  object
}

// register makes a new account with a role in a city.
func register(t *testing.T, role, city string) *person {
	t.Helper()
	p := &person{t: t}
	session := p.must(http.StatusCreated, "POST", "/auth/register", object{
		"email": role + "-" + uuid.NewString() + "@example.com", "password": "secure123",
		"firstName": "Ada", "lastName": "Byron", "phoneNumber": "+14155550100", "role": role, "city": city,
	})
	p.Token, p.User = session["token"].(string), session["user"].(object)
	return p
}

func (p *person) id() string { return p.User["id"].(string) }

// must performs a request and requires the status; it returns the body, which
// may be empty.
func (p *person) must(status int, method, path string, body any) object {
	p.t.Helper()
	got, answer := p.do(method, path, body)
	require.Equal(p.t, status, got, "%s %s: %v", method, path, answer)
	return answer
}

// do performs a request and returns status and body.
func (p *person) do(method, path string, body any) (int, object) {
	p.t.Helper()
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		require.NoError(p.t, err)
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, fleet.Edge+path, payload)
	require.NoError(p.t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.Token)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	answer := object{}
	if len(raw) > 0 {
		require.NoError(p.t, json.Unmarshal(raw, &answer), "%s %s answered %s", method, path, raw)
	}
	return res.StatusCode, answer
}

// said is one JSON line of a stock client.
type said struct {
	Event      string `json:"event"`
	Data       object `json:"data"`
	Properties object `json:"properties"`
}

// transcript collects what a stock client prints and lets a test wait for it.
type transcript struct {
	t       *testing.T
	mu      sync.Mutex
	lines   []said
	changed chan struct{}
	stderr  bytes.Buffer
}

// node runs a script of clients/ until the test ends.
func node(t *testing.T, script string, args ...string) *transcript {
	t.Helper()
	out := &transcript{t: t, changed: make(chan struct{}, 1)}
	cmd := exec.Command("node", append([]string{"clients/" + script}, args...)...)
	cmd.Stderr = &out.stderr
	stdin, err := cmd.StdinPipe()
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
		require.NoError(t, stdin.Close())
		<-read
		require.NoError(t, cmd.Wait(), out.stderr.String())
	})
	return out
}

func (tr *transcript) add(line []byte) {
	var s said
	if err := json.Unmarshal(line, &s); err != nil {
		s = said{Event: "unreadable", Data: object{"line": string(line)}}
	}
	tr.mu.Lock()
	tr.lines = append(tr.lines, s)
	tr.mu.Unlock()
	select {
	case tr.changed <- struct{}{}:
	default:
	}
}

// await returns the first line that matches, from the beginning of the
// transcript on, and fails after 20 s.
func (tr *transcript) await(event string, match func(object) bool) said {
	tr.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		for _, s := range tr.all() {
			if s.Event == event && (match == nil || match(s.Data)) {
				return s
			}
		}
		select {
		case <-tr.changed:
		case <-limit:
			require.Fail(tr.t, "never said", "no %s in %s", event, tr)
		}
	}
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
	return b.String() + tr.stderr.String()
}
