package main

import (
	"errors"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// arrivals notes when each message comes into a consumer's hands.
type arrivals struct {
	news chan string // holds the newest arrival's id

	mu    sync.Mutex
	times map[string]time.Time // by message_id
}

// consume makes a durable quorum queue that every order's events go to, and
// consumes it until the connection ends.
func consume(broker *amqp.Connection) (*arrivals, error) {
	channel, err := broker.Channel()
	if err != nil {
		return nil, err
	}
	if _, err := channel.QueueDeclare(drainQueue, true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		return nil, err
	}
	if err := channel.QueueBind(drainQueue, "order.*", "orders", false, nil); err != nil {
		return nil, err
	}
	messages, err := channel.Consume(drainQueue, "", true, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	a := &arrivals{news: make(chan string, 1), times: map[string]time.Time{}}
	go func() {
		for m := range messages {
			a.note(m.MessageId, time.Now())
		}
	}()
	return a, nil
}

func (a *arrivals) note(id string, now time.Time) {
	a.mu.Lock()
	a.times[id] = now
	a.mu.Unlock()
	select {
	case a.news <- id:
	default: // nobody waits for a single one
	}
}

// at gives the time of a message's arrival, and whether it has arrived.
func (a *arrivals) at(id string) (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, there := a.times[id]
	return at, there
}

// await waits for the next message, which has to be this one.
func (a *arrivals) await(id string) (time.Time, error) {
	select {
	case got := <-a.news:
		if got != id {
			return time.Time{}, errors.New("event " + got + " came instead of " + id)
		}
	case <-time.After(10 * time.Second):
		return time.Time{}, errors.New("an event did not come")
	}
	at, _ := a.at(id)
	return at, nil
}
