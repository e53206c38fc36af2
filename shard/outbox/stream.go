package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"tiffin/micro"
)

const (
	// tendTimeout bounds one look at the stream and the consumer.
	tendTimeout = 3 * time.Second
	// purgeEvery is how often old rows are deleted, purgeBatch how many in one
	// statement.
	purgeEvery = time.Minute
	purgeBatch = 5000
	// countMost bounds the counting of unsent rows: beyond it the figure is
	// only known to be larger.
	countMost = 100_000
)

// streamState is what the relay needs to know of the stream.
type streamState struct {
	created string // identity: a stream that was wiped and made again has another
	last    uint64 // last sequence number
	floor   uint64 // everything up to here is confirmed by the bridge
	handle  jetstream.Stream
}

// tend looks after the stream: fills it again when it has lost messages, notes
// how far the bridge is, deletes rows nobody needs, and counts. In doubt, or
// after NATS was away, it looks closer.
func (l *leader) tend(ctx context.Context) error {
	l.tended = time.Now()
	if err := l.count(ctx); err != nil {
		return err
	}
	reconnects := l.config.JS.Conn().Stats().Reconnects
	state, err := l.inspect(ctx)
	if err != nil {
		return &awayError{fmt.Errorf("inspect stream: %w", err)}
	}
	if err := l.reconcile(ctx, state, l.doubt || reconnects != l.reconnects); err != nil {
		return err
	}
	l.doubt, l.reconnects = false, reconnects
	if time.Since(l.purged) < purgeEvery {
		return nil
	}
	l.purged = time.Now()
	return l.purge(ctx)
}

// inspect asks JetStream; a stream that is missing is made.
func (l *leader) inspect(ctx context.Context) (streamState, error) {
	ctx, cancel := context.WithTimeout(ctx, tendTimeout)
	defer cancel()
	stream, err := l.config.JS.Stream(ctx, micro.StreamEvents)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = micro.EnsureStream(ctx, l.config.JS, l.config.Replicas)
	}
	if err != nil {
		return streamState{}, err
	}
	info := stream.CachedInfo()
	state := streamState{created: info.Created.UTC().Format(time.RFC3339Nano), last: info.State.LastSeq, handle: stream}
	consumer, err := stream.Consumer(ctx, l.config.Consumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return state, nil
	}
	if err != nil {
		return streamState{}, err
	}
	state.floor, err = micro.Confirmed(ctx, stream, consumer.CachedInfo(), state.last)
	return state, err
}

// reconcile compares what the table says of the stream with what the stream is.
func (l *leader) reconcile(ctx context.Context, state streamState, doubt bool) error {
	var created string
	var floor int64
	err := l.conn.QueryRow(ctx, `select created, floor from outbox.stream`).Scan(&created, &floor)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		_, err = l.conn.Exec(ctx, `insert into outbox.stream (created, floor) values ($1, $2)`, state.created, state.floor)
		return err
	case err != nil:
		return fmt.Errorf("read stream state: %w", err)
	case created != state.created:
		return l.refill(ctx, state.created, 0)
	}
	lost := false
	if doubt {
		if lost, err = l.lost(ctx, state, floor); err != nil {
			return err
		}
	}
	if lost {
		return l.refill(ctx, created, floor)
	}
	if int64(state.floor) <= floor {
		return nil
	}
	_, err = l.conn.Exec(ctx, `update outbox.stream set floor = $1 where floor < $1`, state.floor)
	return err
}

// lost tells whether the stream no longer has the newest event that the table
// says it has: a server that lost its last writes keeps the stream's identity
// but not its end.
func (l *leader) lost(ctx context.Context, state streamState, floor int64) (bool, error) {
	var id string
	var streamSeq int64
	err := l.conn.QueryRow(ctx, `select id::text, stream_seq from outbox.events
		where sent_at is not null order by seq desc limit 1`).Scan(&id, &streamSeq)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && streamSeq <= floor {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read newest sent event: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, tendTimeout)
	defer cancel()
	message, err := state.handle.GetMsg(ctx, uint64(streamSeq))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return true, nil
	}
	if err != nil {
		return false, &awayError{fmt.Errorf("read newest sent event: %w", err)}
	}
	return message.Header.Get(jetstream.MsgIDHeader) != id, nil
}

// refill marks everything the bridge has not confirmed as unsent, so that it is
// published again in its old order. What was confirmed on a stream that is gone
// stays done with: its number there means nothing on the new one.
func (l *leader) refill(ctx context.Context, created string, floor int64) error {
	return pgx.BeginFunc(ctx, l.conn, func(tx pgx.Tx) error {
		var confirmed int64
		if err := tx.QueryRow(ctx, `select floor from outbox.stream for update`).Scan(&confirmed); err != nil {
			return fmt.Errorf("refill: %w", err)
		}
		again, err := tx.Exec(ctx, `
			update outbox.events set sent_at = null, stream_seq = null where stream_seq > $1`, confirmed)
		if err != nil {
			return fmt.Errorf("refill: %w", err)
		}
		if floor == 0 {
			if _, err := tx.Exec(ctx, `update outbox.events set stream_seq = 0 where stream_seq > 0`); err != nil {
				return fmt.Errorf("refill: %w", err)
			}
		}
		if _, err := tx.Exec(ctx, `update outbox.stream set created = $1, floor = $2`, created, floor); err != nil {
			return fmt.Errorf("refill: %w", err)
		}
		l.log.Warn("the stream lost messages, filling it again", "events", again.RowsAffected())
		return nil
	})
}

// purge deletes rows that are delivered, confirmed and old, oldest first. Only
// the oldest rows are looked at, so that it costs little when there is nothing
// to delete.
func (l *leader) purge(ctx context.Context) error {
	for {
		deleted, err := l.conn.Exec(ctx, `
			delete from outbox.events where seq in (
				select seq from (select seq, sent_at, stream_seq from outbox.events order by seq limit $1) oldest
				where sent_at < clock_timestamp() - $2::interval and stream_seq <= (select floor from outbox.stream))`,
			purgeBatch, l.config.Retention)
		if err != nil {
			return fmt.Errorf("purge: %w", err)
		}
		if deleted.RowsAffected() < purgeBatch {
			return nil
		}
	}
}

// count publishes how much waits and for how long.
func (l *leader) count(ctx context.Context) error {
	var unsent int64
	var oldest float64
	err := l.conn.QueryRow(ctx, `
		select count(*), coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8
		from (select created_at from outbox.events where sent_at is null order by seq limit $1) waiting`,
		countMost).Scan(&unsent, &oldest)
	if err != nil {
		return fmt.Errorf("count unsent events: %w", err)
	}
	l.metrics.unsent.Set(float64(unsent))
	l.metrics.oldest.Set(max(oldest, 0))
	return nil
}
