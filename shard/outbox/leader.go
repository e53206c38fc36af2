package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/micro"
)

// leader is the relay that works, for as long as its connection and with it the
// lock lasts.
type leader struct {
	*Relay
	conn *pgx.Conn

	awake      bool      // false while the sleep lock is held
	tended     time.Time // when the stream was last looked after
	purged     time.Time // when old rows were last deleted
	doubt      bool      // something happened that may have cost the stream messages
	reconnects uint64    // of the NATS connection, when the stream was last looked after
}

// row is an event as it lies in the table.
type row struct {
	seq   int64
	event micro.Event
}

// run relays until ctx ends or the connection breaks. JetStream being away only
// makes it wait.
func (l *leader) run(ctx context.Context) error {
	l.log.Info("relay leads")
	l.awake, l.doubt = true, true
	delay := minBackoff
	for ctx.Err() == nil {
		err := l.pass(ctx)
		var away *awayError
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			delay = minBackoff
		case errors.As(err, &away):
			l.log.Warn("JetStream does not take events", "error", err, "retry_in", delay)
			l.doubt = true
			wait(ctx, delay)
			delay = min(2*delay, maxBackoff)
		default:
			return err
		}
	}
	return ctx.Err()
}

// awayError is trouble with JetStream, as opposed to trouble with the shard.
type awayError struct{ err error }

func (e *awayError) Error() string { return e.err.Error() }
func (e *awayError) Unwrap() error { return e.err }

// pass publishes what is there, or waits until there is something.
func (l *leader) pass(ctx context.Context) error {
	if l.doubt || time.Since(l.tended) >= pollEvery {
		if err := l.tend(ctx); err != nil {
			return err
		}
	}
	rows, err := l.unsent(ctx)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		if err := l.wake(ctx); err != nil {
			return err
		}
		began := time.Now()
		if err := l.send(ctx, rows); err != nil {
			return err
		}
		wait(ctx, pace(len(rows))-time.Since(began))
		return nil
	}
	return l.rest(ctx)
}

// pace is the time from a pass that found n events to the next. Above a thousand
// events a second each wait is longer than the one before, up to maxPace; below,
// each is shorter, until there is none. A full batch says that more is there.
func pace(n int) time.Duration {
	if n < busy || n >= batchSize {
		return 0
	}
	return min(time.Duration(n)*time.Millisecond, maxPace)
}

const unsentSQL = `
select seq, id::text, type, region, key, payload::text, headers, created_at
from outbox.events where sent_at is null order by seq limit $1`

func (l *leader) unsent(ctx context.Context) ([]row, error) {
	rows, err := l.conn.Query(ctx, unsentSQL, batchSize)
	if err != nil {
		return nil, fmt.Errorf("read unsent events: %w", err)
	}
	return pgx.CollectRows(rows, func(result pgx.CollectableRow) (row, error) {
		var r row
		var payload string
		e := &r.event
		err := result.Scan(&r.seq, &e.ID, &e.Type, &e.Region, &e.Key, &payload, &e.Headers, &e.Time)
		e.Payload = []byte(payload)
		return r, err
	})
}

// send publishes rows in order and marks what was acknowledged. The publisher
// stops at the first event that is not, so nothing overtakes: what comes after
// it is read and sent again.
func (l *leader) send(ctx context.Context, rows []row) error {
	events := make([]micro.Event, len(rows))
	for i, r := range rows {
		events[i] = r.event
	}
	publishCtx, cancel := outlive(ctx, publishTimeout)
	defer cancel()
	acked, publishErr := l.publish.PublishBatch(publishCtx, events)
	seqs, streamSeqs := make([]int64, 0, len(rows)), make([]int64, 0, len(rows))
	for i, streamSeq := range acked {
		if streamSeq == 0 {
			break
		}
		seqs, streamSeqs = append(seqs, rows[i].seq), append(streamSeqs, int64(streamSeq))
	}
	if err := l.mark(ctx, seqs, streamSeqs); err != nil {
		return err
	}
	if publishErr != nil {
		return &awayError{fmt.Errorf("publish: %w", publishErr)}
	}
	return nil
}

// mark notes what JetStream has acknowledged, also when ctx has ended
// meanwhile: it would be sent again otherwise.
func (l *leader) mark(ctx context.Context, seqs, streamSeqs []int64) error {
	if len(seqs) == 0 {
		return nil
	}
	ctx, cancel := outlive(ctx, publishTimeout)
	defer cancel()
	_, err := l.conn.Exec(ctx, `
		update outbox.events e set sent_at = clock_timestamp(), stream_seq = acked.stream_seq
		from unnest($1::bigint[], $2::bigint[]) acked (seq, stream_seq)
		where e.seq = acked.seq and e.sent_at is null`, seqs, streamSeqs)
	if err != nil {
		return fmt.Errorf("mark as sent: %w", err)
	}
	l.metrics.sent.Add(float64(len(seqs)))
	return nil
}

// outlive gives a context that lasts for the timeout, and when ctx ends at most
// stopTimeout longer: what is on its way is finished, so that a relay that is
// stopped leaves nothing in doubt.
func outlive(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(stopTimeout, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() { stop(); cancel() }
}

// rest waits for work. It sleeps only with the sleep lock in hand, and after
// having looked once more: whoever appended before the lock was free has
// committed by then, whoever appends after it will notify.
func (l *leader) rest(ctx context.Context) error {
	if l.awake {
		var locked bool
		err := l.conn.QueryRow(ctx, `select pg_try_advisory_lock($1, $2)`, sleepLock.class, sleepLock.object).Scan(&locked)
		if err != nil {
			return fmt.Errorf("go to sleep: %w", err)
		}
		if !locked {
			wait(ctx, drowse)
			return nil
		}
		l.awake = false
		return nil
	}
	waitCtx, cancel := context.WithTimeout(ctx, pollEvery)
	defer cancel()
	if _, err := l.conn.WaitForNotification(waitCtx); err != nil && waitCtx.Err() == nil {
		return fmt.Errorf("wait for events: %w", err)
	}
	return nil
}

// wake gives the sleep lock back, so that appending costs no notifications
// while there is work.
func (l *leader) wake(ctx context.Context) error {
	if l.awake {
		return nil
	}
	if _, err := l.conn.Exec(ctx, `select pg_advisory_unlock($1, $2)`, sleepLock.class, sleepLock.object); err != nil {
		return fmt.Errorf("wake up: %w", err)
	}
	l.awake = true
	return nil
}
