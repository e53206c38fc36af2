package bridge

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tiffin/micro"
)

// historyConsumer reads the stream for operators. There is one name, because the role's permissions name it.
const historyConsumer = "bridge_replay"

// ErrBusy says that another replay or reconciliation runs, or ended badly less than half a minute ago.
var ErrBusy = errors.New("another replay or reconciliation is running")

// past is a message of the stream with its place and time.
type past struct {
	jetstream.Msg
	seq uint64
	at  time.Time
}

// history gives the messages of EVENTS on the given subjects from since on, up to the newest one there is now. The zero
// time means all. It yields an error at most once, as the last.
func history(ctx context.Context, js jetstream.JetStream, since time.Time, subjects ...string) iter.Seq2[past, error] {
	return func(yield func(past, error) bool) {
		if err := readHistory(ctx, js, since, subjects, yield); err != nil {
			yield(past{}, err)
		}
	}
}

func readHistory(ctx context.Context, js jetstream.JetStream, since time.Time, subjects []string, yield func(past, error) bool) (err error) {
	cfg := jetstream.ConsumerConfig{
		Name: historyConsumer, FilterSubjects: subjects, AckPolicy: jetstream.AckNonePolicy,
		MemoryStorage: true, InactiveThreshold: 30 * time.Second,
		Metadata: map[string]string{"reader": time.Now().Format(time.RFC3339Nano)}, // so that two readers never share it
	}
	if !since.IsZero() {
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &since
	}
	consumer, err := js.CreateConsumer(ctx, micro.StreamEvents, cfg)
	if errors.Is(err, jetstream.ErrConsumerExists) || errors.Is(err, jetstream.ErrConsumerNameAlreadyInUse) {
		return ErrBusy
	}
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	defer func() {
		err = errors.Join(err, js.DeleteConsumer(context.WithoutCancel(ctx), micro.StreamEvents, historyConsumer))
	}()
	left := consumer.CachedInfo().NumPending
	if left == 0 {
		return nil
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(2000), jetstream.PullHeartbeat(pullExpiry))
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	defer messages.Stop()
	for ; left > 0; left-- {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		if !yield(past{msg, meta.Sequence.Stream, meta.Timestamp}, nil) {
			return nil
		}
	}
	return nil
}
