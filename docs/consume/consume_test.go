// Package consume_test runs each example against a real bridge and a real
// broker, as somebody outside would.
package consume_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"tiffin/bridge"
	"tiffin/local/testenv"
	"tiffin/micro"
)

const patience = 90 * time.Second

func TestGo(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "consume")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./go").CombinedOutput()
	require.NoError(t, err, "%s", out)
	seesEachOnce(t, exec.Command(binary))
	isShort(t, "go/main.go", "//")
}

func TestNode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"consume.mjs", "package.json"} {
		text, err := os.ReadFile(filepath.Join("node", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	install.Dir = dir
	out, err := install.CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command("node", "consume.mjs")
	cmd.Dir = dir
	seesEachOnce(t, cmd)
	isShort(t, "node/consume.mjs", "//")
}

func TestPython(t *testing.T) {
	t.Parallel()
	seesEachOnce(t, exec.Command(python(t), "python/consume.py"))
	isShort(t, "python/consume.py", "#")
}

// python finds an interpreter that has pika: the machine's, or else one in an
// environment of its own, which pip fills.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import pika").Run() == nil {
			return name
		}
	}
	dir := filepath.Join(t.TempDir(), "venv")
	out, err := exec.Command("python3", "-m", "venv", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.Command(filepath.Join(dir, "bin/pip"), "install", "-q", "-r", "python/requirements.txt").CombinedOutput()
	require.NoError(t, err, "install python3-pika, or let pip reach a registry: %s", out)
	return filepath.Join(dir, "bin/python")
}

// seesEachOnce runs an example, sends it events, one of them twice, and then
// all again, and requires one line for each.
func seesEachOnce(t *testing.T, example *exec.Cmd) {
	t.Helper()
	url := testenv.RabbitMQ(t)
	publish, replay := startBridge(t, url)
	out := run(t, example, url)
	require.Eventually(t, func() bool { return bound(url) }, patience, 50*time.Millisecond, "%s", out)

	events := publish(5)
	out.await(t, events)
	again(t, url, events[2])
	replay(len(events))
	last := publish(1) // behind all copies, so that these have been seen when it is
	out.await(t, append(events, last...))
}

// await waits until an example has said the last of the events, and requires
// that it has said each once, in order.
func (o *output) await(t *testing.T, events []micro.Event) {
	t.Helper()
	last := events[len(events)-1]
	require.Eventually(t, func() bool { return strings.Contains(o.String(), string(last.Payload)) }, patience, 20*time.Millisecond, "%s", o)
	var want strings.Builder
	for _, e := range events {
		fmt.Fprintf(&want, "%s %s\n", e.Type, e.Payload)
	}
	require.Equal(t, want.String(), o.String())
}

// again sends a copy of an event past the bridge, as a fault would.
func again(t *testing.T, url string, e micro.Event) {
	t.Helper()
	conn, err := amqp.Dial(url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	channel, err := conn.Channel()
	require.NoError(t, err)
	require.NoError(t, channel.Publish("orders", e.Type, true, false, amqp.Publishing{MessageId: e.ID, Type: e.Type, Body: e.Payload}))
}

// bound tells whether the example has bound its queue: it consumes after that.
func bound(url string) bool {
	conn, err := amqp.Dial(url)
	if err != nil {
		return false
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		return false
	}
	queue, err := channel.QueueDeclarePassive("my-kitchen", true, false, false, false, nil)
	return err == nil && queue.Consumers == 1
}

// startBridge runs a bridge. publish sends order.created of as many orders,
// replay sends all again.
func startBridge(t *testing.T, url string) (publish func(int) []micro.Event, replay func(int)) {
	t.Helper()
	server := testenv.NATS(t)
	js, err := jetstream.New(server.Conn("order"))
	require.NoError(t, err)
	_, err = micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	conn := server.Conn("bridge")
	own, err := jetstream.New(conn)
	require.NoError(t, err)
	config := bridge.Config{Conn: conn, JS: own, RabbitURL: url}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- bridge.New(config).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	publish = func(n int) (events []micro.Event) {
		for range n {
			order := uuid.NewString()
			events = append(events, micro.Event{
				ID: uuid.NewString(), Type: "order.created", Region: "us-west", Key: order, Time: time.Now(),
				Payload: []byte(`{"eventType":"order.created","orderId":"` + order + `","customerId":"c","restaurantId":"r",` +
					`"deliveryCity":"San Francisco","totalAmount":45.90,"estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:39.000Z"}`),
			})
		}
		_, err := micro.NewPublisher(js).PublishBatch(t.Context(), events)
		require.NoError(t, err)
		return events
	}
	return publish, func(want int) {
		n, err := bridge.Replay(t.Context(), config, bridge.Span{})
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
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

// run starts an example until the test ends, once the exchange is there.
func run(t *testing.T, example *exec.Cmd, url string) *output {
	t.Helper()
	awaitExchange(t, url)
	out := &output{}
	example.Env = append(os.Environ(), "RABBITMQ_URL="+url)
	example.Stdout, example.Stderr = out, t.Output()
	require.NoError(t, example.Start())
	t.Cleanup(func() {
		require.NoError(t, example.Process.Kill())
		require.Error(t, example.Wait(), "killed")
	})
	return out
}

// awaitExchange waits until the bridge has declared it.
func awaitExchange(t *testing.T, url string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := amqp.Dial(url)
		if err != nil {
			return false
		}
		defer conn.Close()
		channel, err := conn.Channel()
		return err == nil && channel.ExchangeDeclarePassive("orders", "topic", true, false, false, false, nil) == nil
	}, patience, 50*time.Millisecond)
}

// isShort counts the lines that are code.
func isShort(t *testing.T, file, comment string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := 0
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, comment) {
			lines++
		}
	}
	require.LessOrEqual(t, lines, 30, file)
}
