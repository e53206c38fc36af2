// Package consumer is the outside world's end of RabbitMQ in a fault campaign:
// a queue that nobody reads until the end.
//
// Invariant: what is read back is what was published, in its order. A consumer
// that took part in the faults would see redeliveries of its own.
package consumer

import (
	"context"
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Queue is the consumer's queue on one broker, bound to all events of orders.
type Queue struct {
	URL  string // of the broker, past any network that fails
	Name string
}

// Message is one message of the queue, in the order in which it stood there.
type Message struct {
	ID   string
	Body string
}

// Declare makes what the operator and the consumer have declared beforehand: a
// quorum queue, the exchange, the binding.
func (q Queue) Declare() error {
	return q.with(func(channel *amqp.Channel) error {
		fallback := amqp.Table{"alternate-exchange": "orders.unrouted"}
		_, declared := channel.QueueDeclare(q.Name, true, false, false, false, amqp.Table{"x-queue-type": "quorum"})
		return errors.Join(declared,
			channel.ExchangeDeclare("orders", amqp.ExchangeTopic, true, false, false, false, fallback),
			channel.QueueBind(q.Name, "order.*", "orders", false, nil))
	})
}

// Lose takes the oldest message out of the queue and gives its id.
func (q Queue) Lose() (id string, err error) {
	return id, q.with(func(channel *amqp.Channel) error {
		m, ok, err := channel.Get(q.Name, true)
		if err == nil && !ok {
			err = errors.New("the queue is empty")
		}
		id = m.MessageId
		return err
	})
}

// ReadBack empties the queue.
func (q Queue) ReadBack(ctx context.Context) (messages []Message, err error) {
	return messages, q.with(func(channel *amqp.Channel) error {
		state, err := channel.QueueDeclarePassive(q.Name, true, false, false, false, nil)
		if err != nil {
			return err
		}
		deliveries, err := channel.ConsumeWithContext(ctx, q.Name, "", true, true, false, false, nil)
		if err != nil {
			return err
		}
		for len(messages) < state.Messages {
			select {
			case m, open := <-deliveries:
				if !open {
					return errors.New("the queue ended early")
				}
				messages = append(messages, Message{ID: m.MessageId, Body: string(m.Body)})
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
}

// with opens a channel for as long as do takes.
func (q Queue) with(do func(*amqp.Channel) error) error {
	conn, err := amqp.Dial(q.URL)
	if err != nil {
		return err
	}
	channel, err := conn.Channel()
	if err == nil {
		err = do(channel)
	}
	return errors.Join(err, conn.Close())
}
