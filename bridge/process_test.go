package bridge_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"tiffin/bridge"
	"tiffin/micro"
)

// The environment of a bridge in a process of its own: this test binary, started again.
const (
	asProcess  = "BRIDGE_TEST_PROCESS" // NATS's URL
	asRabbit   = "BRIDGE_TEST_RABBITMQ"
	asPassword = "BRIDGE_TEST_PASSWORD"
	asWindow   = "BRIDGE_TEST_WINDOW"
)

// runAsProcess is main of that process. It ends by a signal.
func runAsProcess() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("pid", os.Getpid())
	if err := runBridge(ctx, log); err != nil {
		log.Error("bridge ended", "error", err)
		os.Exit(1)
	}
}

func runBridge(ctx context.Context, log *slog.Logger) error {
	conn, err := micro.Connect(micro.ConnConfig{
		URL: os.Getenv(asProcess), Role: "bridge", Password: os.Getenv(asPassword), Log: log,
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	window, err := strconv.Atoi(os.Getenv(asWindow))
	if err != nil {
		return err
	}
	return bridge.New(bridge.Config{
		Conn: conn, JS: js, RabbitURL: os.Getenv(asRabbit), Log: log, Window: window,
	}).Run(ctx)
}

// spawn starts a bridge as a process, which is killed with the test.
func (w *world) spawn(window int) *exec.Cmd {
	w.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asProcess+"="+w.nats.URL, asRabbit+"="+w.rabbit,
		asPassword+"="+w.nats.Password("bridge"), asWindow+"="+strconv.Itoa(window))
	cmd.Stderr = io.MultiWriter(w.t.Output(), &w.log)
	require.NoError(w.t, cmd.Start())
	w.t.Cleanup(func() { kill(w.t, cmd) })
	return cmd
}

// processLog collects the log lines of all processes, in the order of time.
type processLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *processLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

var tookOver = regexp.MustCompile(`msg="relaying to RabbitMQ".* pid=(\d+)`)

// leader gives the process that was the last to begin relaying.
func (w *world) leader(all []*exec.Cmd) *exec.Cmd {
	w.t.Helper()
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	found := tookOver.FindAllStringSubmatch(w.log.text.String(), -1)
	require.NotEmpty(w.t, found)
	for _, cmd := range all {
		if strconv.Itoa(cmd.Process.Pid) == found[len(found)-1][1] {
			return cmd
		}
	}
	w.t.Fatal("no such process")
	return nil
}

// kill ends a process as a crash does, and waits.
func kill(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if cmd.ProcessState != nil {
		return
	}
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait(), "killed")
}

// send sends a process a signal.
func send(t testing.TB, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	require.NoError(t, cmd.Process.Signal(sig))
}
