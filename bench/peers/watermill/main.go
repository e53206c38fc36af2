// Command watermill is the peer of the bridge's benchmark: the same stream
// through Watermill to the same queue, with 32 subscribers, a pool of 32
// channels and DurablePubSub with confirms. It keeps no order.
//
// Usage: watermill NATS_URL NATS_USER NATS_PASSWORD RABBITMQ_URL. Ends by signal.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-amqp/v3/pkg/amqp"
	"github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	stdnats "github.com/nats-io/nats.go"
	stdamqp "github.com/rabbitmq/amqp091-go"
)

// workers is how many events are under way at once.
const workers = 32

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	events, err := subscribe(ctx, args[0], args[1], args[2])
	if err != nil {
		return err
	}
	publisher, err := openPublisher(args[3])
	if err != nil {
		return err
	}
	defer publisher.Close()
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for event := range events {
				if err := publisher.Publish("watermill", event); err != nil {
					fmt.Fprintln(os.Stderr, err)
					event.Nack()
					continue
				}
				event.Ack()
			}
		})
	}
	running.Wait()
	return nil
}

func subscribe(ctx context.Context, url, user, password string) (<-chan *message.Message, error) {
	subscriber, err := nats.NewSubscriber(nats.SubscriberConfig{
		URL: url, SubscribersCount: workers, QueueGroupPrefix: "watermill", Unmarshaler: unmarshaler{},
		NatsOptions: []stdnats.Option{stdnats.UserInfo(user, password), stdnats.CustomInboxPrefix("_INBOX_" + user)},
		JetStream: nats.JetStreamConfig{
			DurablePrefix:    "watermill",
			SubscribeOptions: []stdnats.SubOpt{stdnats.BindStream("EVENTS"), stdnats.DeliverAll(), stdnats.AckExplicit()},
		},
	}, watermill.NopLogger{})
	if err != nil {
		return nil, err
	}
	return subscriber.Subscribe(ctx, "events.order.>")
}

func openPublisher(url string) (*amqp.Publisher, error) {
	config := amqp.NewDurablePubSubConfig(url, nil)
	config.Publish.ChannelPoolSize = workers
	config.Publish.ConfirmDelivery = true
	// The same property that Tiffin's consumers know an event by.
	config.Marshaler = amqp.DefaultMarshaler{PostprocessPublishing: func(p stdamqp.Publishing) stdamqp.Publishing {
		p.MessageId, _ = p.Headers[amqp.DefaultMessageUUIDHeaderKey].(string)
		return p
	}}
	return amqp.NewPublisher(config, watermill.NopLogger{})
}

// unmarshaler takes the event's id where Tiffin puts it.
type unmarshaler struct{ nats.NATSMarshaler }

func (u unmarshaler) Unmarshal(m *stdnats.Msg) (*message.Message, error) {
	msg, err := u.NATSMarshaler.Unmarshal(m)
	if err == nil {
		msg.UUID = m.Header.Get(stdnats.MsgIdHdr)
	}
	return msg, err
}
