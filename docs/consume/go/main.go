// Command consume prints Tiffin's orders as they come from RabbitMQ, each once: RABBITMQ_URL=amqp://… go run ./docs/consume/go
package main

import (
	"fmt"
	"os"

	amqp "github.com/rabbitmq/amqp091-go"
)

func main() {
	ch := must(must(amqp.Dial(os.Getenv("RABBITMQ_URL"))).Channel())
	// A queue of your own: durable and replicated, it collects orders also while you are away.
	queue := must(ch.QueueDeclare("my-kitchen", true, false, false, false, amqp.Table{"x-queue-type": "quorum"}))
	must(0, ch.QueueBind(queue.Name, "order.*", "orders", false, nil))
	must(0, ch.Qos(50, 0, false))
	seen := map[string]bool{} // yours: a table with the id as its key, written in the transaction of the effect
	for order := range must(ch.Consume(queue.Name, "", false, false, false, false, nil)) {
		if !seen[order.MessageId] { // after a fault an event may come again, with the same id
			seen[order.MessageId] = true
			fmt.Println(order.Type, string(order.Body))
		}
		must(0, order.Ack(false))
	}
	panic("connection closed") // start again: what was not acknowledged comes again
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
