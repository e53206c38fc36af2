package rotate_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/shard"
	"tiffin/shard/rotate"
	"tiffin/shard/sealed"
)

var column = rotate.Column{Table: "people.people", Name: "phone"}

// people is three shards with a table of their own.
type people struct {
	t      *testing.T
	config shard.Config
}

func newPeople(t *testing.T) *people {
	t.Helper()
	p := &people{t, testenv.Shards(t)}
	table := fstest.MapFS{"migrations/00001_people.sql": {Data: []byte(`-- +goose Up
create table people.people (id uuid primary key, region text not null, phone text not null);
-- +goose Down
drop table people.people;
`)}}
	require.NoError(t, shard.Migrate(t.Context(), p.open(""), "people", table))
	return p
}

// open is a process with these keys.
func (p *people) open(keys string) *shard.Set {
	p.t.Helper()
	router, err := shard.NewRouter(p.config)
	require.NoError(p.t, err)
	k, err := sealed.Parse(keys)
	require.NoError(p.t, err)
	set, err := shard.Open(p.t.Context(), router, p.config, shard.Options{Keys: k, Timeout: 20 * time.Second})
	require.NoError(p.t, err)
	p.t.Cleanup(set.Close)
	return set
}

// write stores a phone number as a process would.
func write(ctx context.Context, set *shard.Set, id, phone string) error {
	db, err := set.ByID(id)
	if err != nil {
		return err
	}
	return db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into people.people as p values ($1, $2, $3) on conflict (id) do update set phone = excluded.phone`,
			id, db.Region(), set.Keys().Seal(phone, column.String(), id))
		return err
	})
}

// read gives a phone number as a process sees it.
func read(ctx context.Context, set *shard.Set, id string) (phone string, err error) {
	db, err := set.ByID(id)
	if err != nil {
		return "", err
	}
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		return q.QueryRow(ctx, `select phone from people.people where id = $1`, id).Scan(&phone)
	})
	if err != nil {
		return "", err
	}
	return set.Keys().Open(phone, column.String(), id)
}

func (p *people) fill(set *shard.Set, n int) map[string]string {
	p.t.Helper()
	phones := map[string]string{}
	regions := set.Router().Regions()
	for i := range n {
		id := set.Router().NewID(regions[i%len(regions)])
		phones[id] = fmt.Sprintf("+1415555%04d", i)
		require.NoError(p.t, write(p.t.Context(), set, id, phones[id]))
	}
	return phones
}

func ignore(rotate.Progress) {}

// TestRotationUnderTraffic goes from plain text to a first key and from that to
// a second, while a process with old and new key goes on reading and changing.
func TestRotationUnderTraffic(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	first, second := sealed.Generate("first"), sealed.Generate("second")
	phones := p.fill(p.open(""), 900)
	for _, keys := range []string{first, second + "," + first} {
		set := p.open(keys)
		ctx, stop := context.WithCancel(t.Context())
		busy := make(chan map[string]string, 1)
		var writes atomic.Int64
		go func() { busy <- traffic(ctx, t, set, phones, &writes) }()
		require.Eventually(t, func() bool { return writes.Load() > 20 }, 20*time.Second, time.Millisecond)
		done := map[shard.Region]int64{}
		require.NoError(t, rotate.Run(t.Context(), set, []rotate.Column{column}, func(p rotate.Progress) {
			require.GreaterOrEqual(t, p.Done, done[p.Region])
			done[p.Region] = p.Done
		}))
		stop()
		phones = <-busy
		for _, db := range set.All() {
			text, err := testenv.Dump(t.Context(), db.Pool())
			require.NoError(t, err)
			require.Contains(t, text, strings.TrimPrefix(set.Keys().Prefix(), "\x01"))
			require.NotContains(t, text, "+1415555")
		}
		require.Len(t, done, 6)
		require.NoError(t, rotate.Run(t.Context(), set, []rotate.Column{column}, func(p rotate.Progress) {
			require.Zero(t, p.Total, "nothing is left, and what is done is not done again")
		}))
	}
	onlySecond := p.open(second)
	for id, want := range phones {
		got, err := read(t.Context(), onlySecond, id)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// traffic changes and reads back one number after the other until ctx ends.
func traffic(ctx context.Context, t *testing.T, set *shard.Set, phones map[string]string, writes *atomic.Int64) map[string]string {

	for ctx.Err() == nil {
		for id := range phones {
			if ctx.Err() != nil {
				break
			}
			phones[id] = fmt.Sprintf("+1415555%06d", writes.Add(1))
			if err := write(context.WithoutCancel(ctx), set, id, phones[id]); err != nil {
				t.Errorf("write: %v", err)
			}
			if got, err := read(context.WithoutCancel(ctx), set, id); err != nil || got != phones[id] {
				t.Errorf("a write is lost: %v", err)
			}
		}
	}
	return phones
}

// TestAnInterruptedRotationIsFinishedByTheNext: half of it is done, the rest is
// found.
func TestAnInterruptedRotationIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	phones := p.fill(p.open(""), 1300)
	set := p.open(sealed.Generate("one"))
	ctx, cancel := context.WithCancel(t.Context())
	var before, after int64
	err := rotate.Run(ctx, set, []rotate.Column{column}, func(p rotate.Progress) {
		before = max(before, p.Done)
		if p.Done > 0 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Positive(t, before)
	require.NoError(t, rotate.Run(t.Context(), set, []rotate.Column{column}, func(p rotate.Progress) {
		if p.Done == p.Total {
			after += p.Done
		}
	}))
	require.EqualValues(t, len(phones), before+after)
}

func TestAWrongKeyStopsAndSaysWhich(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	p.fill(p.open(sealed.Generate("old")), 12)
	for _, keys := range []string{sealed.Generate("new"), sealed.Generate("new") + "," + sealed.Generate("old")} {
		err := rotate.Run(t.Context(), p.open(keys), []rotate.Column{column}, ignore)
		require.ErrorIs(t, err, sealed.ErrKey)
		require.ErrorContains(t, err, `"old"`)
		require.NotContains(t, err.Error(), "415555")
	}
	require.ErrorContains(t, rotate.Run(t.Context(), p.open(""), []rotate.Column{column}, ignore), "DATA_KEYS: not set")
}
