package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

// handOver stops the writers, carries what is left, and lets go of the region;
// all within the freeze, or it is tried again later.
func (m *mover) handOver(ctx context.Context) error {
	if err := m.waitForViews(ctx); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		err := m.tryHandOver(ctx)
		var different *differenceError
		hopeless := errors.As(err, &different) || errors.Is(err, errStopped)
		if err == nil || ctx.Err() != nil || attempt == attempts || hopeless {
			return err
		}
		m.Log.Warn("hand-over did not fit into the freeze", "region", m.Region, "error", err)
		if err := m.recover(ctx); err != nil {
			return err
		}
	}
}

// recover prepares the next attempt: writers that the freeze held up get
// through, connections that the deadline cost are made again, and what changed
// meanwhile shall not have to be carried within the next freeze.
func (m *mover) recover(ctx context.Context) error {
	if err := sleep(ctx, betweenAttempts); err != nil {
		return err
	}
	if m.source.IsClosed() || m.target.IsClosed() {
		m.close(ctx)
		if err := m.open(ctx); err != nil {
			return err
		}
	}
	// The answer of the last attempt may have been lost after it took effect.
	if gone, err := m.gone(ctx); err != nil || gone {
		return err
	}
	return m.follow(ctx)
}

// waitForViews waits until no process relies any more on what it read before
// the move was announced.
func (m *mover) waitForViews(ctx context.Context) error {
	var age time.Duration
	err := m.source.QueryRow(ctx, `
		select clock_timestamp() - announced_at from shard.moves where region = $1`, m.Region).Scan(&age)
	if err != nil {
		return err
	}
	return sleep(ctx, shard.Lease+settleWait-age)
}

func (m *mover) tryHandOver(ctx context.Context) (err error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, m.Freeze)
	defer cancel()
	frozen, err := holds(ctx, m.source, `select shard.freeze($1, $2, $3)`, m.Region, m.To, m.Freeze)
	if err != nil {
		return err
	}
	if !frozen {
		// An attempt before this one let go, and only its answer was lost.
		gone, err := m.gone(ctx)
		if err == nil && !gone {
			err = errors.New("the source does not own the region any more")
		}
		return err
	}
	defer func() {
		if err == nil {
			m.frozen = time.Since(began)
			return
		}
		// Sooner than by itself; where even this fails, the end of the freeze
		// stands in its row.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		_, thawErr := holds(ctx, m.Set.ByShard(m.from).Pool(), `select shard.thaw($1)`, m.Region)
		err = errors.Join(err, thawErr)
	}()
	if err := m.step("frozen"); err != nil {
		return err
	}
	if err := m.drainWriters(ctx); err != nil {
		return fmt.Errorf("writers that began before the freeze: %w", err)
	}
	if err := m.carry(ctx, m.changes, m.compareChanges); err != nil {
		return err
	}
	if err := m.drainEvents(ctx); err != nil {
		return fmt.Errorf("events that have not left: %w", err)
	}
	if err := m.step("let go"); err != nil {
		return err
	}
	return m.letGo(ctx)
}

// drainWriters waits for the transactions that were admitted before the freeze:
// each holds the lock shared to its end. The server gives up before the
// deadline does, which would cost the connection.
func (m *mover) drainWriters(ctx context.Context) error {
	return pgx.BeginFunc(ctx, m.source, func(tx pgx.Tx) error {
		limit := fmt.Sprintf(`set local lock_timeout = '%dms'`, (m.Freeze * 3 / 4).Milliseconds())
		if _, err := tx.Exec(ctx, limit); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(1414090566, $1)`, int32(m.code))
		return err
	})
}

// compareChanges compares what the last round carried, and the counts of
// everything.
func (m *mover) compareChanges(ctx context.Context, source, target pgx.Tx) error {
	for _, t := range m.tables {
		if err := compareChanged(ctx, source, target, t, m.Region); err != nil {
			return err
		}
	}
	return nil
}

// drainEvents waits until the relay has sent the last event of the region.
func (m *mover) drainEvents(ctx context.Context) error {
	for m.Drained != nil {
		drained, err := m.Drained(ctx, m.source, m.Region)
		if err != nil || drained {
			return err
		}
		if err := sleep(ctx, drainPace); err != nil {
			return err
		}
	}
	return nil
}

// letGo is the decision. When its answer is lost, the row is asked what
// happened.
func (m *mover) letGo(ctx context.Context) error {
	gone, err := holds(ctx, m.source, `select shard.hand_over($1, $2, $3)`, m.Region, int32(m.code), m.To)
	if err == nil && !gone {
		return errThawed
	}
	return err
}
