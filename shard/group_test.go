package shard_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/shard"
)

// note is the work of writing one note.
func note(id, text string) shard.Work {
	return shard.Work{Fill: func(b *pgx.Batch) error {
		b.Queue(`insert into notes.notes values ($1, $2)`, id, text)
		return nil
	}}
}

// jotting is a note that a group writes.
type jotting struct{ id, text string }

// jot writes notes together.
func jot(b *pgx.Batch, notes []jotting) error {
	for _, n := range notes {
		b.Queue(`insert into notes.notes values ($1, $2)`, n.id, n.text)
	}
	return nil
}

func TestABatchIsATransaction(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := openNotes(t, shard.Options{})
	id := set.Router().NewID("ca")
	db, err := set.ByID(id)
	require.NoError(t, err)
	other := set.Router().NewID("ca")

	err = db.InBatch(ctx, shard.Work{Fill: func(b *pgx.Batch) error {
		b.Queue(`insert into notes.notes values ($1, 'a')`, other)
		b.Queue(`insert into notes.notes values ($1, 'b')`, other)
		return nil
	}})
	require.Error(t, err)
	_, err = readNote(ctx, set, other)
	require.ErrorIs(t, err, pgx.ErrNoRows, "what came before the failure is gone too")

	require.NoError(t, db.InBatch(ctx, note(id, "x")))
	text, err := readNote(ctx, set, id)
	require.NoError(t, err)
	require.Equal(t, "x", text)

	refusal := errors.New("refused")
	require.ErrorIs(t, db.InBatch(ctx, shard.Work{Fill: func(*pgx.Batch) error { return refusal }}), refusal)
}

func TestABatchEntersItsRegion(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := openNotes(t, shard.Options{Timeout: time.Second})
	db, err := set.ByRegion("mx")
	require.NoError(t, err)
	_, err = db.Pool().Exec(ctx, `update shard.ownership set state = 'moved' where region = 'mx'`)
	require.NoError(t, err)
	require.ErrorIs(t, db.InBatch(ctx, note(set.Router().NewID("mx"), "x")), shard.ErrUnavailable)
}

// Whatever a group consists of, each caller gets the answer that it would have had alone.
func TestAGroupIsInvisible(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	set := openNotes(t, shard.Options{MaxConns: 8})
	group := shard.NewGroup(set, jot)
	const writers, each = 40, 10
	taken := set.Router().NewID("ca")
	require.NoError(t, group.Commit(ctx, "ca", 0, jotting{taken, "first"}))

	var work sync.WaitGroup
	failures := make([]error, writers)
	for w := range writers {
		work.Go(func() {
			for i := range each {
				region := []shard.Region{"ca", "mx"}[i%2]
				if err := group.Commit(ctx, region, 0, jotting{set.Router().NewID(region), "x"}); err != nil {
					failures[w] = err
				}
			}
			if err := group.Commit(ctx, "ca", 0, jotting{taken, "second"}); err == nil || shard.CommitUnknown(err) {
				failures[w] = fmt.Errorf("a key was written twice: %w", err)
			}
		})
	}
	work.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	require.Equal(t, writers*each/2+1, countNotes(t, set, "ca"))
	require.Equal(t, writers*each/2, countNotes(t, set, "mx"))
	text, err := readNote(ctx, set, taken)
	require.NoError(t, err)
	require.Equal(t, "first", text)
}

// A caller that cannot wait leaves without a trace as long as its work has not begun.
func TestWhoLeavesAGroupInTimeHasWrittenNothing(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{MaxConns: 8})
	group := shard.NewGroup(set, jot)
	db, err := set.ByRegion("ca")
	require.NoError(t, err)
	blocker, err := db.Pool().Begin(context.Background())
	require.NoError(t, err)
	defer func() { _ = blocker.Rollback(context.Background()) }() // twice is once, when the test fails
	held := set.Router().NewID("ca")
	_, err = blocker.Exec(context.Background(), `insert into notes.notes values ($1, 'held')`, held)
	require.NoError(t, err)

	// As many as go at once wait for the same row, so whoever comes then has not begun.
	var busy sync.WaitGroup
	for i := range shard.GroupsUnderWay {
		busy.Go(func() { _ = group.Commit(context.Background(), "ca", 0, jotting{held, "x"}) }) // fails in the end, by its key
		// One at a time, so that each is a group of its own.
		require.Eventually(t, func() bool { return group.Running("ca") == i+1 && group.Waiting("ca") == 0 }, soon, often)
	}
	ctx, cancel := context.WithCancel(context.Background())
	late := set.Router().NewID("ca")
	left := make(chan error, 1)
	go func() { left <- group.Commit(ctx, "ca", 0, jotting{late, "x"}) }()
	require.Eventually(t, func() bool { return group.Waiting("ca") == 1 }, soon, often)
	cancel()
	err = <-left
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, shard.CommitUnknown(err))
	require.NoError(t, blocker.Commit(context.Background()))
	busy.Wait()
	require.Equal(t, 1, countNotes(t, set, "ca"))
}

func countNotes(t *testing.T, set *shard.Set, region shard.Region) (n int) {
	t.Helper()
	db, err := set.ByRegion(region)
	require.NoError(t, err)
	// The shard holds other regions too; a note's id says which it is of.
	rows, err := db.Pool().Query(context.Background(), `select id::text from notes.notes`)
	require.NoError(t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	for _, id := range ids {
		if home, err := set.Router().RegionOf(id); err == nil && home == region {
			n++
		}
	}
	return n
}
