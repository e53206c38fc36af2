package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/joho/godotenv"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// fleet is a home and the `tiffin up` that runs on it.
type fleet struct {
	*program
	home string
	vars []string
	env  map[string]string // the env file
}

func newFleet(t *testing.T, vars ...string) *fleet {
	t.Helper()
	f := &fleet{home: filepath.Join(t.TempDir(), "home")}
	// 0: any free port, since another fleet may run on this machine.
	f.vars = append([]string{
		"TIFFIN_HOME=" + f.home, "API_GATEWAY_PORT=0", "TRACKING_SERVICE_PORT=0", "BCRYPT_COST=4", "RATE_LIMIT_AUTH=0",
		"LOG_LEVEL=warn",
	}, vars...)
	return f
}

// up starts tiffin and waits until it is ready.
func (f *fleet) up(t *testing.T) {
	t.Helper()
	require.NoError(t, os.RemoveAll(filepath.Join(f.home, "env")))
	p := start(t, f.vars, "up")
	f.program = p
	// Told to end, it ends its servers before their folders are removed: a Redis that cannot save any more does not end.
	t.Cleanup(func() {
		p.signal(syscall.SIGINT)
		select {
		case <-p.done:
		case <-time.After(patience):
		}
	})
	require.Eventually(t, func() bool {
		select {
		case <-f.done:
			require.Fail(t, "ended", "%s\n%s", f.out, f.err)
		default:
		}
		env, err := godotenv.Read(filepath.Join(f.home, "env"))
		f.env = env
		return err == nil && f.whole(t.Context())
	}, patience, tick)
}

// whole tells whether every check of /readyz is well.
func (f *fleet) whole(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var report struct{ Status string }
	code, err := f.call(ctx, http.MethodGet, "/readyz", nil, &report)
	return err == nil && code == http.StatusOK && report.Status == "ok"
}

// call sends a request with a JSON body to the edge and decodes the answer.
func (f *fleet) call(ctx context.Context, method, path string, body, answer any) (int, error) {
	return f.callAs(ctx, "", method, path, body, answer)
}

// callAs is call with the token of a session.
func (f *fleet) callAs(ctx context.Context, token, method, path string, body, answer any) (int, error) {
	var data bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&data).Encode(body); err != nil {
			return 0, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, f.env["EDGE_URL"]+path, &data)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	return res.StatusCode, json.NewDecoder(res.Body).Decode(answer)
}

// instances counts the answers to a ping of a micro service.
func (f *fleet) instances(t *testing.T, service string) int {
	t.Helper()
	conn, err := nats.Connect(f.env["NATS_URL"])
	require.NoError(t, err)
	defer conn.Close()
	inbox := conn.NewInbox()
	answers, err := conn.SubscribeSync(inbox)
	require.NoError(t, err)
	require.NoError(t, conn.PublishRequest("$SRV.PING."+service, inbox, nil))
	count := 0
	for {
		if _, err := answers.NextMsg(300 * time.Millisecond); err != nil {
			require.ErrorIs(t, err, nats.ErrTimeout)
			return count
		}
		count++
	}
}

// login returns the status of signing in and the role of the account.
func (f *fleet) login(t *testing.T, email, password string) (int, string) {
	t.Helper()
	var session struct{ User struct{ Role string } }
	code, err := f.call(t.Context(), http.MethodPost, "/auth/login", map[string]string{"email": email, "password": password}, &session)
	require.NoError(t, err)
	return code, session.User.Role
}

// pid is the process id of a server of the fleet, or 0 while it has none.
func (f *fleet) pid(server string) int {
	data, err := os.ReadFile(filepath.Join(f.home, "run", server+".json"))
	if err != nil {
		return 0
	}
	var record struct{ PID int }
	if json.Unmarshal(data, &record) != nil {
		return 0
	}
	return record.PID
}

// listens tells whether anybody accepts connections at the URL of a variable.
func (f *fleet) listens(variable string) bool {
	u, err := url.Parse(f.env[variable])
	if err != nil {
		return false
	}
	conn, err := net.DialTimeout("tcp", u.Host, time.Second)
	return err == nil && conn.Close() == nil
}

// gone waits until no process of the fleet is left.
func (f *fleet) gone(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return len(leftovers(t, f.home)) == 0 }, 10*time.Second, tick,
		"left behind: %s", strings.Join(leftovers(t, f.home), "\n"))
}
