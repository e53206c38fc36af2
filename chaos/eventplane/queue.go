package eventplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"

	"tiffin/bridge"
	"tiffin/local/rig"
	"tiffin/micro"
)

// quietTimeout is how long everything may take to be delivered once the last
// fault is healed.
const quietTimeout = 90 * time.Second

// awaitQuiet waits until every row is published and the bridge has nothing left,
// twice in a row, since between the two looks a relay may fill the stream again.
func (p *plant) awaitQuiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, quietTimeout)
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for still := 0; still < 4; {
		unsent, err := p.unsent(ctx)
		var status bridge.Status
		if err == nil {
			status, err = p.status()
		}
		if err == nil && unsent == 0 && status.Connected && status.Lag == 0 {
			still++
		} else {
			still = 0
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not quiet within %s: %d rows unsent, bridge %+v: %w", quietTimeout, unsent, status, err)
		case <-tick.C:
		}
	}
	return nil
}

// status asks one of the bridges.
func (p *plant) status() (out bridge.Status, err error) {
	conn, err := micro.Connect(micro.ConnConfig{URL: p.nats.URL, Role: "ops", Password: rig.NATSPassword("ops")})
	if err != nil {
		return out, err
	}
	defer conn.Close()
	answer, err := conn.RequestMsg(nats.NewMsg("bridge.status"), 2*time.Second)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer.Data, &out)
}

// channel opens a connection to RabbitMQ, past the network.
func (p *plant) channel() (*amqp.Channel, func() error, error) {
	conn, err := amqp.Dial(p.rabbit.URL)
	if err != nil {
		return nil, nil, err
	}
	channel, err := conn.Channel()
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return channel, conn.Close, nil
}

// lose takes the oldest message out of the queue and gives its id.
func (p *plant) lose() (id string, err error) {
	channel, hangUp, err := p.channel()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, hangUp()) }()
	m, ok, err := channel.Get(queueName, true)
	if err == nil && !ok {
		err = errors.New("the queue is empty")
	}
	return m.MessageId, err
}

// readBack empties the queue.
func (p *plant) readBack(ctx context.Context) (messages []Message, err error) {
	channel, hangUp, err := p.channel()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, hangUp()) }()
	q, err := channel.QueueDeclarePassive(queueName, true, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	deliveries, err := channel.ConsumeWithContext(ctx, queueName, "", true, true, false, false, nil)
	if err != nil {
		return nil, err
	}
	for len(messages) < q.Messages {
		select {
		case m, open := <-deliveries:
			if !open {
				return nil, errors.New("the queue ended early")
			}
			messages = append(messages, Message{ID: m.MessageId, Body: string(m.Body)})
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return messages, nil
}
