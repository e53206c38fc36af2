package micro

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Headers of a dead letter, beside those of its event.
const (
	HeaderDeadReason   = "Tiffin-Dead-Reason"
	HeaderDeadConsumer = "Tiffin-Dead-Consumer"
	HeaderDeadSubject  = "Tiffin-Dead-Subject" // the subject the event had
	HeaderDeadID       = "Tiffin-Dead-Id"      // the event's id, "" when it had none
)

// deadPrefix begins the subjects of dead letters: dead.<consumer>.<subject of the event>.
const deadPrefix = "dead."

// DeadSubject matches the dead letters of a consumer.
func DeadSubject(consumer string) string { return deadPrefix + consumer + ".>" }

// poison is an error that no retry can mend.
type poison struct{ error }

// Unwrap gives what was wrong.
func (p poison) Unwrap() error { return p.error }

// Poison marks an error that no retry can mend, such as a payload that cannot be read. The event goes to the
// dead-letter stream with the error's text as the reason, and the consumer goes on.
func Poison(err error) error { return poison{err} }

// IsPoison reports whether Poison marked the error.
func IsPoison(err error) bool {
	var p poison
	return errors.As(err, &p)
}

// DeadLetter copies a message to the stream DEAD in the name of a consumer. The same message twice is one letter.
func DeadLetter(ctx context.Context, js jetstream.JetStream, consumer string, msg jetstream.Msg, reason string) error {
	meta, err := msg.Metadata()
	if err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	header := nats.Header(maps.Clone(map[string][]string(msg.Headers())))
	if header == nil {
		header = nats.Header{}
	}
	id := header.Get(jetstream.MsgIDHeader)
	for name := range header {
		if strings.HasPrefix(name, "Nats-") { // orders to the server of long ago, such as those of a batch
			delete(header, name)
		}
	}
	header.Set(HeaderDeadReason, headerSafe(reason))
	header.Set(HeaderDeadConsumer, consumer)
	header.Set(HeaderDeadSubject, msg.Subject())
	header.Set(HeaderDeadID, id)
	letter := &nats.Msg{Subject: deadPrefix + consumer + "." + msg.Subject(), Header: header, Data: msg.Data()}
	unique := fmt.Sprintf("%s-%s-%d", consumer, meta.Stream, meta.Sequence.Stream)
	if _, err := js.PublishMsg(ctx, letter, jetstream.WithMsgID(unique), jetstream.WithExpectStream(StreamDead)); err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	return nil
}
