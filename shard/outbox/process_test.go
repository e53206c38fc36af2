package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/shard"
	"tiffin/shard/outbox"
)

// errand is what the relay's process needs to know.
type errand struct{ Postgres, NATS, Password string }

func relayProcess(data []byte) error {
	var e errand
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	ctx := context.Background()
	config := shard.Config{Shards: []shard.ShardConfig{{ID: "a", URL: e.Postgres, Regions: allRegions}}}
	router, err := shard.NewRouter(config)
	if err != nil {
		return err
	}
	set, err := shard.Open(ctx, router, config, shard.Options{})
	if err != nil {
		return err
	}
	conn, err := micro.Connect(micro.ConnConfig{URL: e.NATS, Role: "order", Password: e.Password, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	return outbox.NewRelay(outbox.RelayConfig{DB: set.ByShard("a"), JS: js}).Run(ctx)
}

// process starts a relay in a process of its own. It is killed with the test.
func (b *bench) process() *exec.Cmd {
	b.t.Helper()
	data, err := json.Marshal(errand{Postgres: b.url, NATS: b.nats.URL, Password: b.nats.Password("order")})
	require.NoError(b.t, err)
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "TIFFIN_TEST_RELAY="+string(data))
	command.Stderr = b.t.Output()
	require.NoError(b.t, command.Start())
	b.t.Cleanup(func() {
		// Both fail when the test has killed and awaited it already.
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return command
}

// TestARelayThatIsPausedLosesItsLock: the shard ends a session that has been
// silent for too long, another relay goes on, and the first one, waking up in
// the belief that it leads, does no harm.
func TestARelayThatIsPausedLosesItsLock(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.process()
	want := b.ids(5)
	b.requireMessages(5)
	require.NoError(t, first.Process.Signal(syscall.SIGSTOP))
	want = append(want, b.ids(5)...)
	b.relay(nil)
	b.requireMessages(10)

	require.NoError(t, first.Process.Signal(syscall.SIGCONT))
	want = append(want, b.ids(20)...)
	b.requireMessages(30)
	for i, event := range b.stored() {
		require.Equal(t, want[i], event.ID)
	}
}

func TestARelayThatIsKilledIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var want []string
	for range 4 {
		relay := b.process()
		want = append(want, b.ids(10)...)
		b.requireMessages(len(want))
		want = append(want, b.ids(3)...) // perhaps on their way, perhaps not
		require.NoError(t, relay.Process.Kill())
		require.Error(t, relay.Wait())
	}
	b.relay(nil)
	b.requireMessages(len(want))
	for i, event := range b.stored() {
		require.Equal(t, want[i], event.ID)
	}
}

// ids appends events of one key and gives their ids, in order.
func (b *bench) ids(n int) (ids []string) {
	b.t.Helper()
	for range n {
		id, err := b.advance(context.Background(), "key", nil)
		require.NoError(b.t, err)
		ids = append(ids, id)
	}
	return ids
}

// TestTheShardMayRestart: relays come back by themselves when their PostgreSQL
// was killed or frozen.
func TestTheShardMayRestart(t *testing.T) {
	t.Parallel()
	server := testenv.OwnPostgres(t)
	b := newBenchOn(t, server.URL)
	b.relay(nil)
	sent := 0
	for name, disturb := range map[string]func(){
		"killed": func() { server.Kill(); server.Start() },
		"frozen": func() { server.Pause(); server.Resume() },
	} {
		for i := range 5 {
			require.Eventually(t, func() bool {
				_, err := b.advance(context.Background(), name+strconv.Itoa(i), nil)
				return err == nil
			}, soon, often)
			sent++
		}
		disturb()
		require.Eventually(t, func() bool {
			_, err := b.advance(context.Background(), fmt.Sprint(name, " after"), nil)
			return err == nil
		}, soon, often)
		sent++
		require.Eventually(t, func() bool { return b.messages() >= sent }, soon, often)
	}
	require.Eventually(t, func() bool { return b.count("sent_at is null") == 0 }, soon, often)
}
