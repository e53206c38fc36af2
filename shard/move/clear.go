package move

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

// clearBatch bounds one transaction of deleting, so that it holds no lock and
// no snapshot for long.
const clearBatch = 5000

// forget takes away what a move has put on the source beside the rows.
func (m *mover) forget(ctx context.Context) error {
	for _, t := range m.tables {
		if err := m.ddl(ctx, fmt.Sprintf(`drop trigger if exists %s on %s`, m.trigger(), t.sql())); err != nil {
			return err
		}
	}
	return pgx.BeginFunc(ctx, m.source, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `delete from shard.move_log where region = $1`, m.Region); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `delete from shard.moves where region = $1`, m.Region)
		return err
	})
}

// wipe deletes a region's rows of all tables, without triggers and cascades:
// they are deleted everywhere anyway.
func wipe(ctx context.Context, conn *pgx.Conn, tables []table, region shard.Region) error {
	for _, t := range tables {
		for {
			var deleted int64
			err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, `set local session_replication_role = replica`); err != nil {
					return err
				}
				tag, err := tx.Exec(ctx, fmt.Sprintf(`delete from %s where ctid = any(array(
					select ctid from %s where region = $1 limit $2))`, t.sql(), t.sql()), region, clearBatch)
				deleted = tag.RowsAffected()
				return err
			})
			if err != nil {
				return fmt.Errorf("delete from %s: %w", t, err)
			}
			if deleted < clearBatch {
				break
			}
		}
	}
	return nil
}

// callOff ends an unfinished move away from the shard that has the region: the
// target's copy is deleted and both shards forget that there was anything.
func callOff(ctx context.Context, config Config) (Report, error) {
	report := Report{From: config.To, To: config.To, Note: "the region is there already"}
	var target string
	err := config.Set.ByShard(config.To).Do(ctx, func(ctx context.Context, q shard.Querier) error {
		err := q.QueryRow(ctx, `select target from shard.moves where region = $1`, config.Region).Scan(&target)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil || target == "" {
		return report, err
	}
	away := config
	away.To = target
	m := &mover{Config: away, code: config.Set.Router().Code(config.Region), from: config.To}
	defer m.close(ctx)
	if err := m.open(ctx); err != nil {
		return Report{}, err
	}
	if err := m.callOff(ctx); err != nil {
		return Report{}, fmt.Errorf("call off moving %s to %s: %w", config.Region, target, err)
	}
	report.Note = "the unfinished move to " + target + " was called off"
	return report, nil
}

func (m *mover) callOff(ctx context.Context) error {
	// First the source keeps what it has, and only then does the target lose
	// its claim on it.
	tag, err := m.source.Exec(ctx, `
		update shard.ownership set state = 'owner', peer = null, frozen_until = null, changed_at = now()
		where region = $1 and state in ('owner', 'frozen')`, m.Region)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return errors.New("it is past the hand-over")
	}
	_, err = m.target.Exec(ctx, `delete from shard.ownership where region = $1 and state = 'incoming'`, m.Region)
	if err != nil {
		return err
	}
	if err := wipe(ctx, m.target, m.tables, m.Region); err != nil {
		return err
	}
	return m.forget(ctx)
}
