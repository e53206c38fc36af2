package bridge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tiffin/micro"
)

// DeadLetter is an event that a consumer could not handle.
type DeadLetter struct {
	Seq      uint64    `json:"seq"` // its number in the stream DEAD
	Consumer string    `json:"consumer"`
	Reason   string    `json:"reason"`
	ID       string    `json:"id"` // of the event, "" when it had none
	Subject  string    `json:"subject"`
	At       time.Time `json:"at"`
	Payload  string    `json:"payload"`

	header nats.Header
}

// errOther says that a letter is not the bridge's to send.
var errOther = errors.New("a letter of another consumer")

// DeadLetters lists the dead letters of all consumers, oldest first.
func DeadLetters(ctx context.Context, js jetstream.JetStream) ([]DeadLetter, error) {
	stream, err := js.Stream(ctx, micro.StreamDead)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	var letters []DeadLetter
	for seq := uint64(1); ; {
		msg, err := stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return letters, nil
		}
		if err != nil {
			return letters, fmt.Errorf("dead letters: %w", err)
		}
		letters = append(letters, DeadLetter{
			Seq: msg.Sequence, At: msg.Time, Payload: string(msg.Data), header: msg.Header,
			Consumer: msg.Header.Get(micro.HeaderDeadConsumer), Reason: msg.Header.Get(micro.HeaderDeadReason),
			ID: msg.Header.Get(micro.HeaderDeadID), Subject: msg.Header.Get(micro.HeaderDeadSubject),
		})
		seq = msg.Sequence + 1
	}
}

// event gives the event as it was.
func (d *DeadLetter) event() (micro.Event, error) {
	header := nats.Header(maps.Clone(map[string][]string(d.header)))
	header.Set(jetstream.MsgIDHeader, d.ID)
	for name := range header {
		if strings.HasPrefix(name, "Tiffin-Dead-") {
			delete(header, name)
		}
	}
	return micro.ParseEvent(d.Subject, header, []byte(d.Payload))
}

// Retry sends dead letters of the bridge to RabbitMQ after all, those with the given numbers or, without any, all, and
// removes them when they are confirmed. Those that still may not go out stay, and so do letters of other consumers, which
// RabbitMQ has long got; the error names each that was asked for. It returns how many went out.
func Retry(ctx context.Context, cfg Config, seqs ...uint64) (int, error) {
	letters, err := DeadLetters(ctx, cfg.JS)
	if err != nil {
		return 0, err
	}
	good, refused := chosen(letters, seqs)
	sent := 0
	if len(good) > 0 {
		if sent, err = retry(ctx, cfg, good); err != nil {
			refused = append(refused, err)
		}
	}
	return sent, errors.Join(refused...)
}

// chosen gives what may go out of the letters asked for, and why the others may not.
func chosen(letters []DeadLetter, seqs []uint64) (good []item, refused []error) {
	for _, seq := range seqs {
		if !slices.ContainsFunc(letters, func(l DeadLetter) bool { return l.Seq == seq }) {
			refused = append(refused, fmt.Errorf("%d: no such dead letter", seq))
		}
	}
	for _, letter := range letters {
		asked := slices.Contains(seqs, letter.Seq)
		if !asked && (len(seqs) > 0 || letter.Consumer != durable) {
			continue
		}
		event, err := letter.event()
		switch {
		case letter.Consumer != durable:
			err = fmt.Errorf("%w: %s", errOther, letter.Consumer)
		case err == nil:
			err = check(event)
		}
		if err != nil {
			refused = append(refused, fmt.Errorf("%d: %w", letter.Seq, err))
			continue
		}
		good = append(good, item{seq: letter.Seq, event: event})
	}
	return good, refused
}

// retry sends and removes. What was sent and could not be removed is sent again by the next try: at least once.
func retry(ctx context.Context, cfg Config, good []item) (int, error) {
	sent, err := send(ctx, New(cfg), func(yield func(item, error) bool) {
		for _, it := range good {
			if !yield(it, nil) {
				return
			}
		}
	})
	stream, streamErr := cfg.JS.Stream(ctx, micro.StreamDead)
	if streamErr != nil {
		return 0, errors.Join(err, streamErr)
	}
	for _, it := range good[:sent] {
		if err := stream.DeleteMsg(ctx, it.seq); err != nil {
			return sent, fmt.Errorf("remove dead letter %d: %w", it.seq, err)
		}
	}
	return sent, err
}
