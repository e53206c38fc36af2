package move_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/shard"
	"tiffin/shard/outbox"
)

// traffic writes and reads one region's notes from two processes while it
// moves, and remembers what it was promised.
type traffic struct {
	f       *field
	region  shard.Region
	writes  *shard.Set
	reads   *shard.Set
	stop    chan struct{}
	done    sync.WaitGroup
	longest atomic.Int64 // nanoseconds between two successful writes of one writer
	total   atomic.Int64

	lock     sync.Mutex
	promised map[string]int // by note: the version that was acknowledged last
}

func startTraffic(f *field, region shard.Region, ids []string) *traffic {
	tr := &traffic{f: f, region: region, writes: f.process(), reads: f.process(), stop: make(chan struct{}), promised: map[string]int{}}
	const writers = 4
	for w := range writers {
		mine := ids[w*len(ids)/writers : (w+1)*len(ids)/writers]
		tr.done.Go(func() { tr.write(mine, rand.New(rand.NewPCG(7, uint64(w)))) })
	}
	return tr
}

func (tr *traffic) write(ids []string, random *rand.Rand) {
	last := time.Now()
	for {
		select {
		case <-tr.stop:
			return
		default:
		}
		id := ids[random.IntN(len(ids))]
		version, err := tr.advance(id, ids[random.IntN(len(ids))])
		if errors.Is(err, shard.ErrUnavailable) {
			// Longer frozen than the caller had time: told to come back, and
			// nothing was done.
			require.False(tr.f.t, shard.CommitUnknown(err))
			continue
		}
		require.NoError(tr.f.t, err)
		tr.lock.Lock()
		require.Equal(tr.f.t, tr.promised[id]+1, version, "no update of %s is lost", id)
		tr.promised[id] = version
		tr.lock.Unlock()
		tr.longest.Store(max(tr.longest.Load(), int64(time.Since(last))))
		last = time.Now()
		tr.total.Add(1)
		tr.readBack(id, version)
	}
}

// advance raises a note's version with an event of it, exchanges its slot with
// another note's, and replaces its order.
func (tr *traffic) advance(id, other string) (version int, err error) {
	db, err := tr.writes.ByID(id)
	if err != nil {
		return 0, err
	}
	// In the order of the ids, or two writers that exchange with each other
	// would lock crosswise.
	return version, db.InTx(context.Background(), func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select from pads.notes where id in ($1, $2) order by id for update`, id, other); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `update pads.notes set version = version + 1, at = clock_timestamp() where id = $1 returning version - 1`, id).Scan(&version)
		if err != nil {
			return err
		}
		if err := exchange(ctx, tx, id, other); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from pads."order" where note = $1`, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into pads."order" values ($1, $2, $3, $4)`, id, []byte(fmt.Sprint(version)), tr.region, version); err != nil {
			return err
		}
		return outbox.Append(ctx, tx, outbox.Event{Type: "order.status", Region: string(tr.region), Key: id, Payload: version})
	})
}

// exchange swaps the slots of two notes, which are unique.
func exchange(ctx context.Context, tx pgx.Tx, id, other string) error {
	if id == other {
		return nil
	}
	var mine, theirs *int
	if err := tx.QueryRow(ctx, `select "Slot" from pads.notes where id = $1`, id).Scan(&mine); err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, `update pads.notes n set "Slot" = null from pads.notes old where n.id = $1 and old.id = n.id returning old."Slot"`, other).Scan(&theirs); err != nil {
		return err
	}
	for _, step := range []struct {
		id   string
		slot *int
	}{{id, theirs}, {other, mine}} {
		if _, err := tx.Exec(ctx, `update pads.notes set "Slot" = $2 where id = $1`, step.id, step.slot); err != nil {
			return err
		}
	}
	return nil
}

// readBack reads through the other process, whose view of the region is its
// own: what was acknowledged is there.
func (tr *traffic) readBack(id string, version int) {
	db, err := tr.reads.ByID(id)
	require.NoError(tr.f.t, err)
	var seen int
	err = db.Do(context.Background(), func(ctx context.Context, q shard.Querier) error {
		return q.QueryRow(ctx, `select version - 1 from pads.notes where id = $1`, id).Scan(&seen)
	})
	if errors.Is(err, shard.ErrUnavailable) {
		return
	}
	require.NoError(tr.f.t, err, "a note must never seem to be gone")
	require.GreaterOrEqual(tr.f.t, seen, version, "an acknowledged write must be seen by everybody")
	tr.readList(id, version)
}

// readList reads as lists do, which group regions by shard before they read.
func (tr *traffic) readList(id string, version int) {
	home, _ := tr.reads.Router().ShardOf(tr.region)
	var seen int
	err := tr.reads.ByShard(home).Holding("ca", tr.region).Do(context.Background(), func(ctx context.Context, q shard.Querier) error {
		return q.QueryRow(ctx, `select coalesce(max(version), 0) - 1 from pads.notes where region = any($1) and id = $2`,
			[]shard.Region{"ca", tr.region}, id).Scan(&seen)
	})
	if !errors.Is(err, shard.ErrUnavailable) {
		require.NoError(tr.f.t, err)
		require.GreaterOrEqual(tr.f.t, seen, version, "nor may a list be older")
	}
}

func (tr *traffic) end() map[string]int {
	close(tr.stop)
	tr.done.Wait()
	tr.f.t.Logf("%d writes, longest pause %s", tr.total.Load(), time.Duration(tr.longest.Load()))
	return tr.promised
}

// requirePromises checks what was promised against the rows, and the events
// against both.
func (f *field) requirePromises(home string, promised map[string]int, js jetstream.JetStream) {
	f.t.Helper()
	ctx := context.Background()
	for id, version := range promised {
		var found int
		require.NoError(f.t, f.set.ByShard(home).Pool().QueryRow(ctx, `select version - 1 from pads.notes where id = $1`, id).Scan(&found))
		require.Equal(f.t, version, found, "version of %s", id)
	}
	for _, db := range f.set.All() {
		require.Eventually(f.t, func() bool {
			drained, err := outbox.Drained(ctx, db.Pool(), "mx")
			return err == nil && drained
		}, soon, often)
	}
	require.Equal(f.t, promised, f.told(js), "the last event of every note")
}

// told reads the stream, checks that each key's events rise by one, and gives
// the last of each.
func (f *field) told(js jetstream.JetStream) map[string]int {
	f.t.Helper()
	ctx := context.Background()
	consumer, err := js.OrderedConsumer(ctx, micro.StreamEvents, jetstream.OrderedConsumerConfig{})
	require.NoError(f.t, err)
	last := map[string]int{}
	pending := consumer.CachedInfo().NumPending
	for range pending {
		message, err := consumer.Next(jetstream.FetchMaxWait(soon))
		require.NoError(f.t, err)
		event, err := micro.ParseEvent(message.Subject(), message.Headers(), message.Data())
		require.NoError(f.t, err)
		var version int
		require.NoError(f.t, json.Unmarshal(event.Payload, &version))
		require.Equal(f.t, last[event.Key]+1, version, "events of %s: each once and in order", event.Key)
		last[event.Key] = version
	}
	return last
}

// TestKilledAtEveryStepUnderTraffic moves a region with its mover killed at
// every step, and goes on each time. At no instant do two shards admit writers,
// no acknowledged write is lost or unseen, and no event is missing or out of
// order.
func TestKilledAtEveryStepUnderTraffic(t *testing.T) {
	t.Parallel()
	f := newField(t)
	js := f.relays()
	ids := f.fill("mx", 40)
	tr := startTraffic(f, "mx", ids)
	for _, at := range []struct {
		step string
		nth  int
	}{
		{"announce", 1}, {"copy", 1}, {"carried", 1}, {"follow", 1}, {"carried", 2}, {"verify", 1}, {"carried", 2}, {"hand over", 1},
		{"frozen", 1}, {"let go", 1}, {"carried", 3}, {"take charge", 1}, {"clear", 1},
	} {
		f.killed("mx", "a", at.step, at.nth)
		owners := f.owners("mx")
		require.LessOrEqual(t, len(owners), 1, "killed at %q, occurrence %d", at.step, at.nth)
		before := tr.total.Load()
		require.Eventually(t, func() bool { return tr.total.Load() > before+4 }, soon, often, "writers go on after %q", at.step)
	}
	report, err := f.move("mx", "a", nil)
	require.NoError(t, err)
	require.Equal(t, "c", report.From)
	promised := tr.end()
	f.requireClean("mx", "a", 40)
	f.requirePromises("a", promised, js)
	require.Less(t, time.Duration(tr.longest.Load()), 8*time.Second, "a freeze of two seconds, and what a loaded machine adds")
}

// TestTrafficHardlyNotices moves a region back and forth and measures how long
// its writers stood still.
func TestTrafficHardlyNotices(t *testing.T) {
	t.Parallel()
	f := newField(t)
	js := f.relays()
	ids := f.fill("mx", 40)
	tr := startTraffic(f, "mx", ids)
	for _, to := range []string{"b", "c"} {
		report, err := f.move("mx", to, nil)
		require.NoError(t, err)
		require.Less(t, report.Frozen, 2*time.Second)
		t.Logf("to %s: frozen for %s", to, report.Frozen)
	}
	promised := tr.end()
	f.requireClean("mx", "c", 40)
	f.requirePromises("c", promised, js)
}
