// Command amqpalone is the ceiling of the bridge's benchmark: amqp091-go and
// nothing else. It publishes the same messages, made beforehand, with as many
// confirms in flight. No NATS, no order between messages, no reading of what is
// sent.
//
// Usage: amqpalone RABBITMQ_URL EVENTS WINDOW. It waits for SIGTERM when done.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"

	"tiffin/bench/orderevents"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	<-ctx.Done()
}

func run(args []string) error {
	events, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	window, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	messages := make([]amqp.Publishing, 0, events)
	for _, e := range orderevents.Make(events) {
		messages = append(messages, orderevents.Message(e))
	}
	conn, err := amqp.Dial(args[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := channel.Confirm(false); err != nil {
		return err
	}
	return publish(channel, messages, window)
}

// publish keeps window confirms in flight.
func publish(channel *amqp.Channel, messages []amqp.Publishing, window int) error {
	inFlight, done := make(chan *amqp.DeferredConfirmation, window), make(chan error, 1)
	go func() {
		var err error
		for confirm := range inFlight {
			if !confirm.Wait() {
				err = errors.New("refused")
			}
		}
		done <- err
	}()
	for i := range messages {
		confirm, err := channel.PublishWithDeferredConfirm("orders", messages[i].Type, true, false, messages[i])
		if err != nil {
			return err
		}
		inFlight <- confirm
	}
	close(inFlight)
	return <-done
}
