package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"

	"tiffin/local/rig"
	"tiffin/micro"
)

const (
	// drainQueue is made anew for every drain.
	drainQueue = "bench"
	// drainLimit bounds one drain.
	drainLimit = 2 * time.Minute
)

// drained is what one drain measured.
type drained struct {
	PerSecond  float64 `json:"perSecond"`  // from the first event in the queue to the last
	CPUSeconds float64 `json:"cpuSeconds"` // of the process that drained
	PeakMiB    float64 `json:"peakMiB"`    // of the same, with the pages of its binary
	OwnMiB     float64 `json:"ownMiB"`     // the most seen without them
	Overtaken  int     `json:"overtaken"`  // events in the queue before an earlier one of their order
}

// drainer has the servers: a stream full of events, and a broker.
type drainer struct {
	rig          *rig.Rig
	nats, rabbit *rig.Server
	js           jetstream.JetStream
	broker       *amqp.Connection
	events       []micro.Event
	traces       *collector
}

// openDrainer starts both under a name of their own, and preloads the stream.
func openDrainer(ctx context.Context, s stage, name string, events []micro.Event) (d *drainer, err error) {
	d = &drainer{events: events, traces: s.Traces}
	if d.rig, err = rig.Open(filepath.Join(s.Dir, name)); err != nil {
		return nil, err
	}
	return d, d.open(ctx, s)
}

func (d *drainer) open(ctx context.Context, s stage) (err error) {
	binary, err := rig.BuildNATS(ctx, ".", s.Dir)
	if err != nil {
		return err
	}
	if d.nats, err = d.rig.NATS(ctx, binary); err != nil {
		return err
	}
	if d.rabbit, err = d.rig.RabbitMQ(ctx); err != nil {
		return err
	}
	if d.broker, err = amqp.Dial(d.rabbit.URL); err != nil {
		return err
	}
	conn, err := micro.Connect(micro.ConnConfig{URL: d.nats.URL, Role: "ops", Password: rig.NATSPassword("ops")})
	if err != nil {
		return err
	}
	if d.js, err = jetstream.New(conn); err != nil {
		return err
	}
	if _, err := micro.EnsureStream(ctx, d.js, 1); err != nil {
		return err
	}
	if err := d.topology(ctx, s.Binary); err != nil {
		return err
	}
	if len(d.events) > 0 {
		_, err = micro.NewPublisher(d.js).PublishBatch(ctx, d.events)
	}
	return err
}

// topology lets the bridge declare its exchange, and declares Watermill's.
func (d *drainer) topology(ctx context.Context, binary string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	p, err := d.bridge(binary, windows[0]).start(ctx)
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := await(ctx, func() (bool, error) {
		channel, err := d.broker.Channel()
		if err != nil {
			return false, err
		}
		if channel.ExchangeDeclarePassive("orders", amqp.ExchangeTopic, true, false, false, false, nil) != nil {
			if !p.Running() {
				return false, errors.New("the bridge has ended")
			}
			return false, nil // not yet; the broker has closed the channel
		}
		return true, channel.Close()
	}); err != nil {
		return fmt.Errorf("the bridge's exchange: %w; see %s", err, d.rig.LogPath(p.Name()))
	}
	channel, err := d.broker.Channel()
	if err != nil {
		return err
	}
	return errors.Join(channel.ExchangeDeclare("watermill", amqp.ExchangeFanout, true, false, false, false, nil), channel.Close())
}

func (d *drainer) close() error {
	return errors.Join(d.broker.Close(), closeConn(d.js), d.rig.Close())
}

func closeConn(js jetstream.JetStream) error {
	js.Conn().Close()
	return nil
}

// drain lets a contestant fill a new queue, and reads it back.
func (d *drainer) drain(ctx context.Context, c contestant) (result drained, err error) {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	for _, durable := range []string{"bridge", "watermill"} {
		if err := d.js.DeleteConsumer(ctx, micro.StreamEvents, durable); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return result, err
		}
	}
	channel, err := d.queue()
	if err != nil {
		return result, err
	}
	defer channel.Close()
	p, err := c.start(ctx)
	if err != nil {
		return result, err
	}
	defer p.Stop()
	if result.PerSecond, result.OwnMiB, err = watchFill(ctx, channel, p); err != nil {
		return result, fmt.Errorf("%s: %w; see %s", c.name, err, d.rig.LogPath(p.Name()))
	}
	if result.CPUSeconds, err = usage(p.PID()); err != nil {
		return result, err
	}
	if result.PeakMiB, err = memory(p.PID(), "VmHWM"); err != nil {
		return result, err
	}
	p.Stop()
	if result.Overtaken, err = d.readBack(ctx, channel); err != nil {
		return result, fmt.Errorf("%s: %w", c.name, err)
	}
	if c.ordered && result.Overtaken > 0 {
		return result, fmt.Errorf("%s: %d events overtook an earlier one of their order", c.name, result.Overtaken)
	}
	return result, nil
}

// queue makes an empty durable quorum queue that everything goes to.
func (d *drainer) queue() (*amqp.Channel, error) {
	channel, err := d.broker.Channel()
	if err != nil {
		return nil, err
	}
	if _, err := channel.QueueDelete(drainQueue, false, false, false); err != nil {
		return nil, err
	}
	if _, err := channel.QueueDeclare(drainQueue, true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		return nil, err
	}
	return channel, errors.Join(channel.QueueBind(drainQueue, "order.*", "orders", false, nil),
		channel.QueueBind(drainQueue, "", "watermill", false, nil))
}

// watchFill watches the queue fill and gives events per second, from when the
// first was seen, so that nobody's start-up counts; and the most memory that the
// process had for itself meanwhile.
func watchFill(ctx context.Context, channel *amqp.Channel, p *rig.Server) (rate, ownMiB float64, err error) {
	var first int
	var began time.Time
	err = await(ctx, func() (bool, error) {
		q, err := channel.QueueDeclarePassive(drainQueue, true, false, false, false, nil)
		if err != nil {
			return false, err
		}
		if !p.Running() {
			return false, errors.New("ended early")
		}
		own, err := memory(p.PID(), "RssAnon")
		if err != nil {
			return false, err
		}
		ownMiB = max(ownMiB, own)
		if first == 0 && q.Messages > 0 {
			first, began = q.Messages, time.Now()
		}
		if q.Messages >= drainEvents {
			rate = float64(q.Messages-first) / time.Since(began).Seconds()
			return true, nil
		}
		return false, nil
	})
	return rate, ownMiB, err
}

// readBack empties the queue: every event must be there, once, with its body.
// It counts those that stand before an earlier one of the same order.
func (d *drainer) readBack(ctx context.Context, channel *amqp.Channel) (overtaken int, err error) {
	place := make(map[string]int, len(d.events))
	for i, e := range d.events {
		place[e.ID] = i
	}
	messages, err := channel.ConsumeWithContext(ctx, drainQueue, "", true, true, false, false, nil)
	if err != nil {
		return 0, err
	}
	newest := map[string]int{}
	for range d.events {
		m, open := <-messages
		if !open {
			return 0, errors.New("the queue ended early")
		}
		i, known := place[m.MessageId]
		if !known {
			return 0, fmt.Errorf("event %q is unknown or came twice", m.MessageId)
		}
		delete(place, m.MessageId)
		e := &d.events[i]
		if string(m.Body) != string(e.Payload) {
			return 0, fmt.Errorf("event %s changed on its way", e.ID)
		}
		if i < newest[e.Key] {
			overtaken++
		}
		newest[e.Key] = max(newest[e.Key], i)
	}
	q, err := channel.QueueDeclarePassive(drainQueue, true, false, false, false, nil)
	if err == nil && q.Messages > 0 {
		err = fmt.Errorf("%d events too many", q.Messages)
	}
	return overtaken, err
}
