package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"tiffin/micro"
)

// Row is what an outbox says of one event.
type Row struct {
	ID, Type, Key string
	Shard         string
	Sent          bool // JetStream has acknowledged it
	// StreamSeq is its number in the stream, 0 while it is not sent, and when RabbitMQ had confirmed it before the stream
	// was wiped.
	StreamSeq uint64
}

// Report says whether outboxes, stream and RabbitMQ agree, and what became of each event. Every event of an outbox is
// counted in exactly one of Waiting, Earlier, Relayed, Dead, Lag, Others and Missing.
type Report struct {
	Rows    int `json:"rows"`    // events in the outboxes
	Waiting int `json:"waiting"` // of these: not sent to the stream yet
	Earlier int `json:"earlier"` // of these: confirmed by RabbitMQ before the stream was wiped

	Stream  int `json:"stream"`  // different events in the stream
	Copies  int `json:"copies"`  // further copies of them, from beyond the time the stream remembers ids
	Relayed int `json:"relayed"` // of the stream's: confirmed by RabbitMQ
	Dead    int `json:"dead"`    // of the stream's: among the bridge's dead letters
	Lag     int `json:"lag"`     // of the stream's: for RabbitMQ, and not confirmed yet
	Others  int `json:"others"`  // of the stream's: of types that stay inside the fleet

	Findings []Finding `json:"findings"` // what does not agree, nothing when all is well
}

// The ways not to agree.
const (
	Missing   = "missing"   // the outbox says it was sent, and the stream does not have it
	Displaced = "displaced" // the stream has it under another number, so its row may be purged too early
	Unknown   = "unknown"   // waits in the stream for RabbitMQ, and no outbox has it
)

// Finding is one event about which the records differ.
type Finding struct {
	Problem   string `json:"problem"` // Missing, Displaced or Unknown
	ID        string `json:"id"`
	Type      string `json:"type"`
	Key       string `json:"key"`                // of its order
	Shard     string `json:"shard,omitempty"`    // whose outbox has the row
	StreamSeq uint64 `json:"streamSeq,omitzero"` // where the row, or for an unknown one the stream, says it is
}

// Agrees tells whether no event is unaccounted for.
func (r Report) Agrees() bool { return len(r.Findings) == 0 }

// comparison is a reconciliation under way.
type comparison struct {
	Report
	rows  map[string]*known // sent ones by id
	wait  map[string]bool   // ids of those not sent
	dead  map[string]bool   // ids of the bridge's dead letters
	seen  map[string]bool   // ids met in the stream
	floor uint64            // RabbitMQ has confirmed everything up to here
	last  uint64            // what the stream held before the rows were read
}

// known is a sent row and what the stream says of it.
type known struct {
	Row
	found, atItsPlace bool
}

// Reconcile compares the rows of all outboxes with the stream and with what RabbitMQ has confirmed. It reads rows when
// it needs them: they must be read from the database then, and not before. Events that come while it works do no harm.
// A wiped stream makes its unconfirmed rows missing until the relays have filled it again. It holds the ids of all rows
// in memory. It returns ErrBusy while another reconciliation or a replay runs.
func Reconcile(ctx context.Context, js jetstream.JetStream, rows iter.Seq2[Row, error]) (Report, error) {
	c := comparison{
		Report: Report{Findings: []Finding{}},
		rows:   map[string]*known{}, wait: map[string]bool{}, dead: map[string]bool{}, seen: map[string]bool{},
	}
	// In this order each step finds at least what the one before it implies: what the stream held has a row, what a row
	// says was sent is in the stream.
	for _, step := range []func() error{
		func() error { return c.readEnd(ctx, js) },
		func() error { return c.readRows(rows) },
		func() error { return c.readFloor(ctx, js) },
		func() error { return c.readStream(ctx, js) },
	} {
		if err := step(); err != nil {
			return c.Report, err
		}
	}
	c.judgeRows()
	slices.SortFunc(c.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.StreamSeq, b.StreamSeq), cmp.Compare(a.ID, b.ID))
	})
	return c.Report, nil
}

// readEnd notes how far the stream goes now. No stream is an empty one.
func (c *comparison) readEnd(ctx context.Context, js jetstream.JetStream) error {
	stream, err := js.Stream(ctx, micro.StreamEvents)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stream %s: %w", micro.StreamEvents, err)
	}
	c.last = stream.CachedInfo().State.LastSeq
	return nil
}

func (c *comparison) readRows(rows iter.Seq2[Row, error]) error {
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("read outbox: %w", err)
		}
		c.Rows++
		switch {
		case !row.Sent:
			c.Waiting++
			c.wait[row.ID] = true
		case row.StreamSeq == 0:
			c.Earlier++
		default:
			c.rows[row.ID] = &known{Row: row}
		}
	}
	return nil
}

// readFloor asks how far RabbitMQ has confirmed, 0 when no bridge has worked yet, and what the bridge gave up on.
func (c *comparison) readFloor(ctx context.Context, js jetstream.JetStream) error {
	consumer, err := js.Consumer(ctx, micro.StreamEvents, durable)
	switch {
	case err == nil:
		c.floor = consumer.CachedInfo().AckFloor.Stream
	case !errors.Is(err, jetstream.ErrConsumerNotFound) && !errors.Is(err, jetstream.ErrStreamNotFound):
		return fmt.Errorf("consumer %s: %w", durable, err)
	}
	letters, err := DeadLetters(ctx, js)
	for _, letter := range letters {
		if letter.Consumer == durable {
			c.dead[letter.ID] = true
		}
	}
	return err
}

// readStream meets each message of the stream.
func (c *comparison) readStream(ctx context.Context, js jetstream.JetStream) error {
	for msg, err := range history(ctx, js, time.Time{}, "events.>") {
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		c.meet(msg)
	}
	return nil
}

// meet counts a message, and ticks off its row.
func (c *comparison) meet(msg past) {
	id := msg.Headers().Get(jetstream.MsgIDHeader)
	row := c.rows[id]
	if row != nil {
		row.found = true
		row.atItsPlace = row.atItsPlace || row.StreamSeq == msg.seq
	}
	if c.seen[id] {
		c.Copies++
		return
	}
	c.seen[id] = true
	c.Stream++
	event, err := micro.ParseEvent(msg.Subject(), msg.Headers(), msg.Data())
	switch {
	case c.dead[id]:
		c.Dead++
	case err != nil || event.Type != typeCreated && event.Type != typeAssigned:
		c.Others++
	case msg.seq <= c.floor:
		c.Relayed++
	default:
		c.Lag++
		// A row is kept until RabbitMQ has confirmed its event, so there must be one.
		if row == nil && !c.wait[id] && msg.seq <= c.last {
			c.Findings = append(c.Findings, Finding{Problem: Unknown, ID: id, Type: event.Type, Key: event.Key, StreamSeq: msg.seq})
		}
	}
}

// judgeRows finds the rows that the stream does not bear out.
func (c *comparison) judgeRows() {
	for _, row := range c.rows {
		problem := Missing
		switch {
		case row.atItsPlace:
			continue
		case row.found:
			problem = Displaced
		}
		c.Findings = append(c.Findings, Finding{
			Problem: problem, ID: row.ID, Type: row.Type, Key: row.Key, Shard: row.Shard, StreamSeq: row.StreamSeq})
	}
}
