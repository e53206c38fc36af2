package bridge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The names on RabbitMQ's side. They are a contract with consumers, but for the lock.
const (
	exchange  = "orders"
	unrouted  = "orders.unrouted"
	lockQueue = "tiffin.bridge"
	// maxUnrouted bounds the queue of what no other queue takes; the oldest are dropped.
	maxUnrouted = 10_000
)

const (
	// heartbeat makes RabbitMQ free the lock of a paused instance after about two of them.
	heartbeat = 5 * time.Second
	// lockRetry is how often a standby tries to become the one that works.
	lockRetry = time.Second
	// rpcTimeout bounds closing a connection properly.
	rpcTimeout = 2 * time.Second
)

// errLost says that the connection to RabbitMQ has ended.
var errLost = errors.New("connection to RabbitMQ lost")

// rabbit is one connection to RabbitMQ with the channel that the bridge publishes on.
type rabbit struct {
	log     *slog.Logger
	conn    *amqp.Connection
	channel *amqp.Channel
	net     net.Conn
	lost    chan *amqp.Error // of the connection
	closed  chan *amqp.Error // of the channel
	blocked chan amqp.Blocking
	pulse   pulse
}

// dial connects, opens the channel and declares what the bridge needs.
func dial(ctx context.Context, url string, secure *tls.Config, log *slog.Logger) (*rabbit, error) {
	if secure != nil { // the library looks at the scheme alone
		url, secure = withTLS(url), secure.Clone()
	}
	r := &rabbit{
		log: log, lost: make(chan *amqp.Error, 1), closed: make(chan *amqp.Error, 1),
		// The connection's reader waits for whoever listens: room for every change of state it could meet.
		blocked: make(chan amqp.Blocking, 64),
	}
	var err error
	r.conn, err = amqp.DialConfig(url, amqp.Config{
		Heartbeat: heartbeat, Locale: "en_US",
		TLSClientConfig: secure,
		Properties:      amqp.Table{"connection_name": "tiffin-bridge", "product": "tiffin"},
		Dial: func(network, addr string) (net.Conn, error) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			var err error
			r.net, err = dialTCP(network, addr)
			return r.net, err
		},
	})
	if err != nil {
		if r.net != nil {
			err = errors.Join(err, r.net.Close())
		}
		return nil, fmt.Errorf("dial RabbitMQ: %w", err)
	}
	r.pulse.beat = func() error { return r.on(func(*amqp.Channel) error { return nil }) }
	r.conn.NotifyClose(r.lost)
	r.conn.NotifyBlocked(r.blocked)
	if err := r.open(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// withTLS gives the URL the scheme that means TLS, and keeps its port.
func withTLS(url string) string {
	if rest, plain := strings.CutPrefix(url, "amqp://"); plain {
		return "amqps://" + rest
	}
	return url
}

// open declares the topology and opens the channel for publishing.
func (r *rabbit) open() error {
	for _, step := range topology() {
		if err := r.declare(step); err != nil {
			return fmt.Errorf("declare %s: %w", step.name, err)
		}
	}
	var err error
	if r.channel, err = r.conn.Channel(); err != nil {
		return fmt.Errorf("open channel: %w", err)
	}
	r.channel.NotifyClose(r.closed)
	return nil
}

// step is one declaration. passive only looks whether the thing exists.
type step struct {
	name    string
	active  func(*amqp.Channel) error
	passive func(*amqp.Channel) error
}

// topology lists the declarations: the exchange, and where goes what no queue takes.
func topology() []step {
	bounded := amqp.Table{"x-max-length": maxUnrouted, "x-overflow": "drop-head"}
	fallback := amqp.Table{"alternate-exchange": unrouted}
	return []step{
		{unrouted, func(c *amqp.Channel) error {
			return c.ExchangeDeclare(unrouted, amqp.ExchangeFanout, true, false, false, false, nil)
		}, func(c *amqp.Channel) error {
			return c.ExchangeDeclarePassive(unrouted, amqp.ExchangeFanout, true, false, false, false, nil)
		}},
		{unrouted, func(c *amqp.Channel) error {
			if _, err := c.QueueDeclare(unrouted, true, false, false, false, bounded); err != nil {
				return err
			}
			return c.QueueBind(unrouted, "", unrouted, false, nil)
		}, func(c *amqp.Channel) error {
			_, err := c.QueueDeclarePassive(unrouted, true, false, false, false, nil)
			return err
		}},
		{exchange, func(c *amqp.Channel) error {
			return c.ExchangeDeclare(exchange, amqp.ExchangeTopic, true, false, false, false, fallback)
		}, func(c *amqp.Channel) error {
			return c.ExchangeDeclarePassive(exchange, amqp.ExchangeTopic, true, false, false, false, nil)
		}},
	}
}

// declare runs a step. A user with least permissions may not declare, and an operator may have declared otherwise: then
// it is enough that the thing is there. Each try has a channel of its own, because a refusal closes it.
func (r *rabbit) declare(s step) error {
	err := r.on(s.active)
	if !refused(err, amqp.AccessRefused) && !refused(err, amqp.PreconditionFailed) {
		return err
	}
	r.log.Info("not declared, taken as it is", "name", s.name, "reason", err)
	return r.on(s.passive)
}

// on runs do on a channel of its own.
func (r *rabbit) on(do func(*amqp.Channel) error) error {
	channel, err := r.conn.Channel()
	if err != nil {
		return err
	}
	if err := do(channel); err != nil {
		return err // the channel is closed
	}
	return channel.Close()
}

// refused reports whether RabbitMQ answered with the code.
func refused(err error, code int) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Code == code
}

// lead waits until this connection holds the lock. It returns an error when the connection or ctx ends.
func (r *rabbit) lead(ctx context.Context) error {
	for first := true; ; first = false {
		err := r.lock()
		if !refused(err, amqp.ResourceLocked) {
			return err
		}
		if first {
			r.log.Info("another bridge works, standing by")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-r.lost:
			return ended(errLost, err)
		case <-time.After(lockRetry):
		}
	}
}

// ended joins what ended with RabbitMQ's reason. There is none, and the channel is just closed, when we closed it.
func ended(what error, reason *amqp.Error) error {
	if reason == nil {
		return what
	}
	return fmt.Errorf("%w: %w", what, reason)
}

// lock declares the exclusive queue, which belongs to the connection and dies with it.
func (r *rabbit) lock() error {
	channel, err := r.conn.Channel()
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if _, err := channel.QueueDeclare(lockQueue, false, false, true, false, nil); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return channel.Close()
}

// close ends the connection, properly when the broker plays along. The library waits for the broker's answer for as long
// as heartbeats come, whatever deadline it is given, so the socket is taken away from it.
func (r *rabbit) close() {
	hurry := time.AfterFunc(rpcTimeout, func() {
		if err := r.net.Close(); err != nil {
			r.log.Debug("closing RabbitMQ socket", "error", err)
		}
	})
	defer hurry.Stop()
	if err := r.conn.CloseDeadline(time.Now().Add(rpcTimeout)); err != nil && !errors.Is(err, amqp.ErrClosed) {
		r.log.Debug("closing RabbitMQ connection", "error", err)
	}
	if err := r.net.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		r.log.Debug("closing RabbitMQ socket", "error", err)
	}
}
