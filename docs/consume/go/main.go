// Command consume prints Tiffin's orders as they come from RabbitMQ, each once.
//
//	RABBITMQ_URL=amqp://… go run ./docs/consume/go
package main

import (
	"fmt"
	"log"
	"os"

	amqp "github.com/rabbitmq/amqp091-go"
)

func main() { log.Fatal(consume(os.Getenv("RABBITMQ_URL"))) }

func consume(url string) error {
	conn, err := amqp.Dial(url)
	if err != nil {
		return err
	}
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	// A queue of your own: durable and replicated, it collects orders also while you are away.
	if _, err := ch.QueueDeclare("my-kitchen", true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		return err
	}
	if err := ch.QueueBind("my-kitchen", "order.*", "orders", false, nil); err != nil {
		return err
	}
	if err := ch.Qos(50, 0, false); err != nil {
		return err
	}
	orders, err := ch.Consume("my-kitchen", "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	seen := map[string]bool{} // yours: a table with the id as its key, written in the transaction of the effect
	for order := range orders {
		if !seen[order.MessageId] { // after a fault an event may come again, with the same id
			seen[order.MessageId] = true
			fmt.Println(order.Type, string(order.Body))
		}
		if err := order.Ack(false); err != nil {
			return err
		}
	}
	return fmt.Errorf("connection to RabbitMQ closed")
}
