package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

const (
	// attempts is how often a hand-over is tried before the run gives up; the
	// move stays resumable.
	attempts = 10
	// betweenAttempts lets the writers that a freeze held up through.
	betweenAttempts = 2 * time.Second
	// shortRound is how few changes, carried in how little time, show that the
	// target has caught up.
	shortRound     = 500
	shortRoundTime = 300 * time.Millisecond
	// rounds bounds the catching up: when so many were not enough, rows change
	// faster than they are carried.
	rounds = 200
	// ddlWait is how long putting a trigger on a table may wait behind a long
	// transaction. All writers of the table queue up behind it meanwhile, so it
	// is short, and tried again.
	ddlWait = "200ms"
	ddlPace = 500 * time.Millisecond
	// settleWait is added to the lease before anything is taken away: reading
	// the row takes a moment too.
	settleWait = time.Second
	// drainPace is how often the outbox is looked at while its last events
	// leave.
	drainPace = 5 * time.Millisecond
)

var (
	errAnotherMove = errors.New("another move of the region is unfinished: " +
		"run it again to finish it, or move the region to where it is to call it off")
	errThawed = errors.New("the freeze ran out")
)

// announce notes the move on both shards, the target first: once the source
// says where the region goes, the target must know that it comes.
func (m *mover) announce(ctx context.Context) error {
	if err := m.alone(ctx); err != nil {
		return err
	}
	expected, err := holds(ctx, m.target, `select shard.expect($1, $2, $3, $4)`,
		m.Region, int32(m.code), m.epoch+1, m.from)
	if err != nil {
		return err
	}
	if !expected {
		return fmt.Errorf("shard %s holds another claim on the region", m.To)
	}
	announced, err := holds(ctx, m.source, `select shard.announce($1, $2)`, m.Region, m.To)
	if err == nil && !announced {
		err = errAnotherMove
	}
	return err
}

// alone makes sure that no other move of the region is unfinished, on either
// shard.
func (m *mover) alone(ctx context.Context) error {
	other, err := holds(ctx, m.source, `
		select exists (select from shard.moves where region = $1 and target <> $2)`, m.Region, m.To)
	if err == nil && !other {
		other, err = holds(ctx, m.target, `select exists (select from shard.moves where region = $1)`, m.Region)
	}
	if err == nil && other {
		err = errAnotherMove
	}
	return err
}

// copy puts the triggers on the source and copies the region as one snapshot,
// unless an earlier run did. What an unfinished copy left is deleted first, in
// the same transaction.
func (m *mover) copy(ctx context.Context) error {
	copied, err := holds(ctx, m.source, `select copied from shard.moves where region = $1`, m.Region)
	if err != nil || copied {
		return err
	}
	for _, t := range m.tables {
		if err := m.watch(ctx, t); err != nil {
			return fmt.Errorf("watch %s: %w", t, err)
		}
	}
	if err := m.carry(ctx, m.everything, nil); err != nil {
		return err
	}
	_, err = m.source.Exec(ctx, `update shard.moves set copied = true where region = $1`, m.Region)
	return err
}

func (m *mover) trigger() string { return fmt.Sprintf("shard_move_%03x", m.code) }

// watch puts the trigger on a table that logs what changes.
func (m *mover) watch(ctx context.Context, t table) error {
	arguments := literal(string(m.Region)) + fmt.Sprintf(", '%d'", m.code)
	for _, column := range t.Key {
		arguments += ", " + literal(column)
	}
	return m.ddl(ctx, fmt.Sprintf(`create or replace trigger %s after insert or update or delete on %s
		for each row execute function shard.capture(%s)`, m.trigger(), t.sql(), arguments))
}

// ddl changes a table on the source without making its writers wait for long.
func (m *mover) ddl(ctx context.Context, sql string) error {
	for {
		err := pgx.BeginFunc(ctx, m.source, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `set local lock_timeout = '`+ddlWait+`'`); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, sql)
			return err
		})
		if !lockTimeout(err) {
			return err
		}
		if err := sleep(ctx, ddlPace); err != nil {
			return err
		}
	}
}

// follow carries rounds of changes until one is short.
func (m *mover) follow(ctx context.Context) error {
	for range rounds {
		began := time.Now()
		var changes int64
		if err := m.carry(ctx, m.changes, func(ctx context.Context, source, _ pgx.Tx) (err error) {
			changes, err = count(ctx, source, m.Region)
			return err
		}); err != nil {
			return err
		}
		if changes < shortRound && time.Since(began) < shortRoundTime {
			return nil
		}
	}
	return errors.New("rows change faster than they can be carried: try again at a calmer time")
}

// verify carries one more round and, while the source's snapshot is open and
// the target exactly there, compares all.
func (m *mover) verify(ctx context.Context) error {
	return m.carry(ctx, m.changes, func(ctx context.Context, source, target pgx.Tx) error {
		m.verified = 0
		for _, t := range m.tables {
			rows, err := compare(ctx, source, target, t, m.Region)
			if err != nil {
				return err
			}
			m.verified += rows
		}
		return nil
	})
}

// takeCharge makes the target the owner; a process that saw the source let go
// may have been faster.
func (m *mover) takeCharge(ctx context.Context) error {
	owns, err := holds(ctx, m.target, `select shard.take_charge($1, $2)`, m.Region, m.epoch+1)
	if err == nil && !owns {
		err = fmt.Errorf("shard %s does not expect the region", m.To)
	}
	return err
}

// clear deletes what the source kept, after the last reader that may still look
// there has noticed.
func (m *mover) clear(ctx context.Context) error {
	if err := sleep(ctx, shard.Lease); err != nil {
		return err
	}
	gone, err := m.gone(ctx)
	if err != nil {
		return err
	}
	if !gone {
		return errors.New("the source owns the region again")
	}
	if err := wipe(ctx, m.source, m.tables, m.Region); err != nil {
		return err
	}
	return m.forget(ctx)
}

// gone tells whether the source has let go of the region to the target.
func (m *mover) gone(ctx context.Context) (bool, error) {
	return holds(ctx, m.source, `
		select state = 'moved' and peer = $2 from shard.ownership where region = $1`, m.Region, m.To)
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
