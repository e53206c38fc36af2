package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/flight"
	"tiffin/local/testenv"
)

func TestReadThrough(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	_, mine := numbers(t, rdb)
	_, theirs := numbers(t, rdb)
	var r record
	r.value.Store(7)
	for range 3 {
		require.Equal(t, 7, mustGet(t, mine, "x", r.read))
		require.Equal(t, 7, mustGet(t, theirs, "x", r.read))
	}
	require.EqualValues(t, 1, r.reads.Load(), "one load for all processes")
	require.Equal(t, 7, mustGet(t, mine, "y", r.read))
	require.EqualValues(t, 2, r.reads.Load(), "keys are apart")
	ttl, err := rdb.TTL(t.Context(), mine.Key("x")).Result()
	require.NoError(t, err)
	require.InDelta(t, 3600, ttl.Seconds(), 5)
}

func TestErrorsAreNotCached(t *testing.T) {
	t.Parallel()
	_, k := numbers(t, newRedis(t))
	var r record
	_, err := k.Get(t.Context(), "x", func(context.Context) (int, error) { return 0, errSource })
	require.ErrorIs(t, err, errSource)
	require.Zero(t, mustGet(t, k, "x", r.read))
	require.EqualValues(t, 1, r.reads.Load())
}

func TestPanicOfASourceIsAnErrorOfItsReaders(t *testing.T) {
	t.Parallel()
	_, k := numbers(t, newRedis(t))
	_, err := k.Get(t.Context(), "x", func(context.Context) (int, error) { panic("boom") })
	var panicked *flight.PanicError
	require.ErrorAs(t, err, &panicked)
	require.Equal(t, "load panicked: boom", err.Error())
	var r record
	require.Zero(t, mustGet(t, k, "x", r.read))
}

// Whatever the order of reads and writes by two processes, a read that starts after a write was acknowledged sees it.
func TestReadsSeeAcknowledgedWrites(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	c1, k1 := numbers(t, rdb)
	c2, k2 := numbers(t, rdb)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		key := fmt.Sprint("run ", run)
		var r record
		for n := range rapid.IntRange(1, 15).Draw(rt, "steps") {
			c, k := c1, k1
			if rapid.Bool().Draw(rt, "process") {
				c, k = c2, k2
			}
			if rapid.Bool().Draw(rt, "write") {
				require.NoError(t, c.Change(t.Context(), []string{k.Key(key)}, r.write(n+1)))
			}
			require.EqualValues(t, r.value.Load(), mustGet(t, k, key, r.read))
		}
	})
}

// Readers and a writer at full speed: nobody ever reads less than what was acknowledged before they asked.
func TestNoStaleReadUnderLoad(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	c, k := numbers(t, rdb)
	_, other := numbers(t, rdb)
	var r, acknowledged record
	stop := make(chan struct{})
	var group sync.WaitGroup
	for i := range 8 {
		reader := []*Kind[int]{k, other}[i%2]
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := acknowledged.value.Load()
				got, err := reader.Get(t.Context(), "x", r.read)
				if err != nil || int64(got) < least {
					t.Errorf("read %d (%v) after %d was acknowledged", got, err, least)
					return
				}
			}
		})
	}
	for n := range 300 {
		require.NoError(t, c.Change(t.Context(), []string{k.Key("x")}, r.write(n)))
		acknowledged.value.Store(int64(n))
	}
	close(stop)
	group.Wait()
}

// A loader that read the old value and was paused before it stored it finds that it may not.
func TestNoStaleFill(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	c, k := numbers(t, rdb)
	_, slow := numbers(t, rdb)
	var r record
	r.value.Store(1)
	read, resume := make(chan struct{}), make(chan struct{})
	old := make(chan int)
	go func() {
		n, err := slow.Get(context.Background(), "x", func(ctx context.Context) (int, error) {
			n, err := r.read(ctx)
			close(read)
			<-resume
			return n, err
		})
		if err != nil {
			n = -1
		}
		old <- n
	}()
	<-read
	require.NoError(t, c.Change(t.Context(), []string{k.Key("x")}, r.write(2)))
	close(resume)
	require.Equal(t, 1, <-old, "it asked before the change")
	require.Equal(t, 2, mustGet(t, slow, "x", r.read))
	require.Equal(t, 2, mustGet(t, k, "x", r.read))
}

// While a write is under way nothing is stored; a writer that dies there leaves a closed key that expires.
func TestWriterDiesBeforeItReopens(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	c, k := numbers(t, rdb)
	var r record
	r.value.Store(1)
	mustGet(t, k, "x", r.read)
	require.NoError(t, c.closeAll(t.Context(), []string{k.Key("x")}))
	r.value.Store(2) // and it is gone
	for range 3 {
		require.Equal(t, 2, mustGet(t, k, "x", r.read))
	}
	require.EqualValues(t, 4, r.reads.Load(), "a closed key is read past")
	ttl, err := rdb.PTTL(t.Context(), k.Key("x")).Result()
	require.NoError(t, err)
	require.LessOrEqual(t, ttl, closedTTL)
	require.Positive(t, ttl)
}

func TestChangeReopensWhateverHappens(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	c, k := numbers(t, rdb)
	var r record
	keys := []string{k.Key("x"), k.Key("y")}
	require.ErrorIs(t, c.Change(t.Context(), keys, func(context.Context) error { return errSource }), errSource)
	require.Panics(t, func() {
		_ = c.Change(t.Context(), keys, func(context.Context) error { panic("boom") }) // it does not return
	})
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, c.Change(ctx, keys, func(context.Context) error { cancel(); return nil }))
	left, err := rdb.Exists(t.Context(), keys...).Result()
	require.NoError(t, err)
	require.Zero(t, left)
	require.Zero(t, mustGet(t, k, "x", r.read))
}

// One process loads, the others leave it a head start and then get its value.
func TestOtherProcessesWaitForTheLoader(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	var r record
	r.value.Store(5)
	loading, finish := make(chan struct{}), make(chan struct{})
	_, first := numbers(t, rdb)
	var group sync.WaitGroup
	group.Go(func() {
		_, err := first.Get(context.Background(), "x", func(ctx context.Context) (int, error) {
			close(loading)
			<-finish
			return r.read(ctx)
		})
		require.NoError(t, err)
	})
	<-loading
	for range 4 {
		_, k := numbers(t, rdb)
		group.Go(func() { require.Equal(t, 5, mustGet(t, k, "x", r.read)) })
	}
	close(finish)
	group.Wait()
	require.EqualValues(t, 1, r.reads.Load())
}

// A loader that died does not hold up the others for longer than its head start.
func TestLoaderDies(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	_, dead := numbers(t, rdb)
	_, k := numbers(t, rdb)
	_, _, found := dead.open(t.Context(), dead.Key("x"))
	require.False(t, found)
	var r record
	r.value.Store(3)
	started := time.Now()
	require.Equal(t, 3, mustGet(t, k, "x", r.read))
	require.Less(t, time.Since(started), 4*headStart)
}

// A value that another version wrote, and this one cannot read, is read from the source and replaced.
func TestUnreadableValue(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	_, k := numbers(t, rdb)
	require.NoError(t, rdb.HSet(t.Context(), k.Key("x"), fieldGeneration, "g", fieldValue, "not a number").Err())
	var r record
	r.value.Store(9)
	require.Equal(t, 9, mustGet(t, k, "x", r.read))
	require.Equal(t, 9, mustGet(t, k, "x", r.read))
}

func TestCopiesAreBounded(t *testing.T) {
	t.Parallel()
	_, k := numbers(t, newRedis(t))
	var r record
	for i := range 50 {
		mustGet(t, k, strconv.Itoa(i), r.read)
	}
	require.Len(t, k.copies, 4)
	require.Equal(t, 50, k.Loads())
	for i := range 50 {
		mustGet(t, k, strconv.Itoa(i), r.read)
	}
	require.Equal(t, 50, k.Loads(), "what has no copy here is in Redis")
}

// Redis away, in each of its ways: reads go to the source, writes are made, and nothing old comes back with it.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ fail, mend func(*testenv.Server) }{
		"killed": {(*testenv.Server).Kill, (*testenv.Server).Start},
		"frozen": {(*testenv.Server).Pause, (*testenv.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.OwnRedis(t)
			rdb := client(t, server.URL)
			c, k := numbers(t, rdb)
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- c.Run(ctx) }()
			t.Cleanup(func() { stop(); require.NoError(t, <-done) })

			var r record
			r.value.Store(1)
			require.Equal(t, 1, mustGet(t, k, "x", r.read))
			require.NoError(t, c.Health(t.Context()))
			tc.fail(server)
			require.Error(t, c.Health(t.Context()))
			require.Equal(t, 1, mustGet(t, k, "x", r.read))
			require.NoError(t, c.Change(t.Context(), []string{k.Key("x")}, r.write(2)))
			for range 10 {
				require.Equal(t, 2, mustGet(t, k, "x", r.read))
			}
			started := time.Now()
			require.Equal(t, 2, mustGet(t, k, "x", r.read))
			require.Less(t, time.Since(started), opTimeout, "the breaker spares readers the timeout")

			tc.mend(server)
			require.Equal(t, 2, mustGet(t, k, "x", r.read))
			require.Eventually(t, func() bool { return !c.owes(k.Key("x")) }, soon, often)
			require.Eventually(t, func() bool {
				before := r.reads.Load()
				return mustGet(t, k, "x", r.read) == 2 && r.reads.Load() == before
			}, soon, often, "cached again")
		})
	}
}

// A debt that was made while another payment of it was on its way is not forgiven by that payment.
func TestDebtMadeDuringAPayment(t *testing.T) {
	t.Parallel()
	rdb := newRedis(t)
	c, k := numbers(t, rdb)
	c.owe([]string{k.Key("x"), k.Key("y")})
	old := c.owed[k.Key("x")]
	c.owe([]string{k.Key("x")})
	require.NotEqual(t, old, c.owed[k.Key("x")])
	c.pay(t.Context())
	require.False(t, c.owes(k.Key("x")) || c.owes(k.Key("y")))
	c.pay(t.Context())
}

func TestWithoutAnyRedis(t *testing.T) {
	t.Parallel()
	c, k := numbers(t, nil)
	var r record
	require.NoError(t, c.Change(t.Context(), []string{k.Key("x")}, r.write(4)))
	require.Equal(t, 4, mustGet(t, k, "x", r.read))
	require.NoError(t, c.Health(t.Context()))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, c.Run(ctx))
}

// Several caches of a process share their metric.
func TestMetrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	for range 2 {
		c := New(Config{Redis: newRedis(t), Metrics: registry})
		k := NewKind(c, KindConfig[string]{
			Name: "text", TTL: time.Minute,
			Encode: func(s string) ([]byte, error) { return []byte(s), nil },
			Decode: func(b []byte) (string, error) { return string(b), nil },
		})
		for range 2 {
			_, err := k.Get(t.Context(), "x", func(context.Context) (string, error) { return "v", nil })
			require.NoError(t, err)
		}
		require.NoError(t, c.Close())
	}
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Equal(t, "tiffin_cache_reads_total", families[0].GetName(), "the others are of the pool")
	require.Len(t, families[0].GetMetric(), 2, "from source and from memory")
}

func TestEncodeErrorReachesTheReader(t *testing.T) {
	t.Parallel()
	c := New(Config{Redis: newRedis(t)})
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	k := NewKind(c, KindConfig[int]{Name: "broken", TTL: time.Minute,
		Encode: func(int) ([]byte, error) { return nil, errors.New("no") },
		Decode: func([]byte) (int, error) { return 0, nil },
	})
	_, err := k.Get(t.Context(), "x", func(context.Context) (int, error) { return 1, nil })
	require.ErrorContains(t, err, "encode broken")
}
