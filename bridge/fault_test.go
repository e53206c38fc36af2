package bridge_test

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"tiffin/bridge"
	"tiffin/local/testenv"
)

// faultWindow is small, so that the second copies a fault may cost are few and a fault in the middle is in the middle.
const faultWindow = 50

// TestSeveralInstancesAtOnce: one works, the others stand by, and one of them takes over within seconds, whether the
// one at work is paused or killed. The paused one wakes up while another works, and harms nothing.
func TestSeveralInstancesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := []*exec.Cmd{w.spawn(faultWindow), w.spawn(faultWindow), w.spawn(faultWindow)}
	l := w.listen("kitchen")
	w.publish(orders(300)...)
	require.Zero(t, l.await(w.events), "without faults there are no copies, however many instances there are")

	paused := w.leader(all)
	w.publish(orders(300)...)
	send(t, paused, syscall.SIGSTOP)
	w.publish(orders(300)...)
	// What it has published and not acknowledged comes again: the window, and as much that RabbitMQ had confirmed already.
	require.LessOrEqual(t, l.await(w.events), 2*faultWindow)
	require.NotSame(t, paused, w.leader(all))
	send(t, paused, syscall.SIGCONT)
	w.publish(orders(300)...)
	require.LessOrEqual(t, l.await(w.events), 2*faultWindow)

	w.publish(orders(300)...)
	kill(t, w.leader(all))
	w.publish(orders(300)...)
	require.LessOrEqual(t, l.await(w.events), 2*2*faultWindow, "of both faults together")
}

// TestBrokerFaults meets one broker with what brokers do.
func TestBrokerFaults(t *testing.T) {
	t.Parallel()
	broker := testenv.OwnRabbitMQ(t)
	w := newWorldOn(t, broker.URL)
	w.start(func(c *bridge.Config) { c.Window = faultWindow })
	require.NoError(t, w.bind("kitchen").Close())
	// RabbitMQ 3.10 forgets a quorum queue that was declared seconds before a kill: its registry is written out later, or
	// at a proper stop. Events it has confirmed are safe from then on.
	broker.Stop()
	broker.Start()
	faults := 0

	t.Log("killed, and away for a while")
	w.publish(orders(300)...)
	broker.Kill()
	w.publish(orders(300)...)
	require.Eventually(t, func() bool { return !w.status().Connected }, 10*time.Second, 20*time.Millisecond)
	require.Positive(t, w.status().Lag)
	broker.Start()
	w.publish(orders(300)...)
	faults++
	w.drained()

	t.Log("paused beyond the heartbeats")
	w.publish(orders(300)...)
	broker.Pause()
	w.publish(orders(300)...)
	require.Eventually(t, func() bool { return !w.status().Connected }, 40*time.Second, 50*time.Millisecond)
	broker.Resume()
	faults++
	w.drained()

	t.Log("blocked by an alarm")
	broker.Control("set_vm_memory_high_watermark", "0")
	w.publish(orders(1000)...)
	require.Never(t, func() bool { return w.status().Lag == 0 }, 2*time.Second, 100*time.Millisecond)
	broker.Control("set_vm_memory_high_watermark", "0.6")
	faults++ // whether a publish was under way decides whether there is a copy
	w.drained()

	t.Log("connections closed by the operator")
	w.publish(orders(300)...)
	broker.Control("close_all_connections", "--vhost", "tiffin", "test")
	w.publish(orders(300)...)
	faults++
	w.drained()

	t.Log("the password changed, and changed back")
	broker.Control("change_password", "tiffin", "another")
	broker.Control("close_all_connections", "--vhost", "tiffin", "test")
	w.publish(orders(300)...)
	require.Eventually(t, func() bool { return !w.status().Connected }, 10*time.Second, 20*time.Millisecond)
	require.Positive(t, w.status().Lag)
	broker.Control("change_password", "tiffin", "test")
	faults++
	w.drained()

	require.LessOrEqual(t, w.consume(w.channel(), "kitchen").await(w.events), faults*2*faultWindow)
}

// drained waits until RabbitMQ has everything.
func (w *world) drained() {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.status().Lag == 0 }, 60*time.Second, 20*time.Millisecond)
}

// TestDeletedExchange: RabbitMQ closes the channel at the next publish, and the bridge declares the exchange again. What comes before the consumer has bound its queue again is kept in
// orders.unrouted, so nothing is lost.
func TestDeletedExchange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	l := w.listen("kitchen")
	w.publish(orders(10)...)
	l.await(w.events)
	channel := w.channel()
	require.NoError(t, channel.ExchangeDelete("orders", false, false))
	second := orders(10)
	w.publish(second...)
	w.drained()
	require.Zero(t, w.consume(w.channel(), "orders.unrouted").await(second))
}

// TestRefusedEventsAreTriedAgain: a queue that is full and refuses makes RabbitMQ refuse the publish. The event stays,
// and with it all later ones of its order.
func TestRefusedEventsAreTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(c *bridge.Config) { c.Window = faultWindow })
	w.awaitExchange()
	channel := w.channel()
	_, err := channel.QueueDeclare("small", true, false, false, false, amqp.Table{"x-max-length": 10, "x-overflow": "reject-publish"})
	require.NoError(t, err)
	require.NoError(t, channel.QueueBind("small", "order.*", "orders", false, nil))
	w.publish(orders(100)...)
	require.Never(t, func() bool { return w.status().Lag == 0 }, time.Second, 50*time.Millisecond)
	l := w.consume(channel, "small")
	l.await(w.events)
	w.drained()
}

// TestNATSRestarts: the bridge goes on where it was.
func TestNATSRestarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(c *bridge.Config) { c.Window = faultWindow })
	l := w.listen("kitchen")
	for range 3 {
		w.publish(orders(300)...)
		w.nats.Stop()
		w.nats.Start()
		w.awaitNATS()
		w.publish(orders(300)...)
		require.LessOrEqual(t, l.await(w.events), 3*2*faultWindow)
	}
}

// awaitNATS waits until the publishing connection is back.
func (w *world) awaitNATS() {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.js.Conn().IsConnected() }, 10*time.Second, 10*time.Millisecond)
}
