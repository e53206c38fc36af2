package shard_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/shard"
)

// errRow is the error of a row that cannot be read.
var errRow = errors.New("a row that cannot be read")

// readNotes reads texts of notes; one that is "broken" cannot be read.
func readNotes(ctx context.Context, q shard.Querier, ids []string) (map[string]string, error) {
	rows, err := q.Query(ctx, `select id::text, text from notes.notes where id = any($1::text[]::uuid[])`, ids)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	var id, text string
	_, err = pgx.ForEachRow(rows, []any{&id, &text}, func() error {
		if text == "broken" {
			return errRow
		}
		found[id] = text
		return nil
	})
	return found, err
}

// Many at once, of several regions, of rows that others ask for too, that do not exist, that cannot be read: each gets
// what it would have got alone, and what it has just written itself.
func TestReadersTogetherReadAsIfAlone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	set := openNotes(t, shard.Options{MaxConns: 8})
	gather := shard.NewGather(set, readNotes)
	const readers, each = 40, 20
	common, broken := set.Router().NewID("ca"), set.Router().NewID("ca")
	require.NoError(t, insertNote(ctx, set, common, "common"))
	require.NoError(t, insertNote(ctx, set, broken, "broken"))

	var work sync.WaitGroup
	failures := make([]error, readers)
	for r := range readers {
		work.Go(func() {
			for i := range each {
				region := []shard.Region{"ca", "mx"}[i%2]
				failures[r] = errors.Join(failures[r], readsItsOwn(ctx, set, gather, set.Router().NewID(region), strconv.Itoa(i)),
					reads(ctx, gather, common, "common"), reads(ctx, gather, strings.ToUpper(common), "common"))
				if _, found, err := gather.Get(ctx, set.Router().NewID(region)); found || err != nil {
					failures[r] = errors.Join(failures[r], fmt.Errorf("a row that nobody wrote: %v %w", found, err))
				}
			}
			if _, _, err := gather.Get(ctx, broken); !errors.Is(err, errRow) {
				failures[r] = errors.Join(failures[r], fmt.Errorf("the broken row: %w", err))
			}
		})
	}
	work.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	_, _, err := gather.Get(ctx, "nonsense")
	require.ErrorIs(t, err, shard.ErrBadID)
}

// readsItsOwn writes a note twice and reads each text back.
func readsItsOwn(ctx context.Context, set *shard.Set, gather *shard.Gather[string], id, text string) error {
	if err := insertNote(ctx, set, id, "before"); err != nil {
		return err
	}
	err := reads(ctx, gather, id, "before")
	db, dbErr := set.ByID(id)
	if err := errors.Join(err, dbErr); err != nil {
		return err
	}
	if _, err := db.Pool().Exec(ctx, `update notes.notes set text = $2 where id = $1`, id, text); err != nil {
		return err
	}
	return reads(ctx, gather, id, text)
}

func reads(ctx context.Context, gather *shard.Gather[string], id, want string) error {
	text, found, err := gather.Get(ctx, id)
	if err != nil || !found || text != want {
		return fmt.Errorf("note %s: %q, found %v, instead of %q: %w", id, text, found, want, err)
	}
	return nil
}

// While one query runs, those who come share the next.
func TestReadersShareTheNextQuery(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{MaxConns: 8})
	queries, proceed := make(chan []string), make(chan struct{})
	gather := shard.NewGather(set, func(_ context.Context, _ shard.Querier, ids []string) (map[string]string, error) {
		queries <- ids
		<-proceed
		return map[string]string{}, nil
	})
	gather.Endure()
	var work sync.WaitGroup
	defer work.Wait()
	defer close(proceed)
	get := func() { work.Go(func() { _, _, _ = gather.Get(t.Context(), set.Router().NewID("ca")) }) } // nobody has it
	get()
	require.Len(t, <-queries, 1)
	const others = 5
	for range others {
		get()
	}
	require.Eventually(t, func() bool { return gather.Waiting("ca") == others }, soon, often)

	ctx, leave := context.WithCancel(t.Context())
	leave()
	_, _, err := gather.Get(ctx, set.Router().NewID("ca"))
	require.ErrorIs(t, err, context.Canceled, "nobody has to stay")

	proceed <- struct{}{}
	require.Len(t, <-queries, others+1)
}

// A query that hangs delays its own readers only.
func TestAReaderThatHangsHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	set := openNotes(t, shard.Options{MaxConns: 8})
	hanging, hang := set.Router().NewID("ca"), make(chan struct{})
	began := make(chan struct{})
	gather := shard.NewGather(set, func(_ context.Context, _ shard.Querier, ids []string) (map[string]string, error) {
		if ids[0] == hanging {
			close(began)
			<-hang
		}
		return map[string]string{ids[0]: "read"}, nil
	})
	var work sync.WaitGroup
	defer work.Wait()
	defer close(hang)
	work.Go(func() { _, _, _ = gather.Get(t.Context(), hanging) }) // its answer is of no interest
	<-began
	for range 3 {
		require.NoError(t, reads(t.Context(), gather, set.Router().NewID("ca"), "read"))
	}
}
