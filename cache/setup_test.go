package cache

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/local/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon and often are the patience and the pace of waiting for conditions.
const (
	soon  = 20 * time.Second
	often = 2 * time.Millisecond
)

// record is a system of record with one number in it.
type record struct {
	value atomic.Int64
	reads atomic.Int64
}

func (r *record) read(context.Context) (int, error) {
	r.reads.Add(1)
	return int(r.value.Load()), nil
}

func (r *record) write(n int) func(context.Context) error {
	return func(context.Context) error { r.value.Store(int64(n)); return nil }
}

func client(t *testing.T, url string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(url)
	require.NoError(t, err)
	rdb := redis.NewClient(opts)
	t.Cleanup(func() { require.NoError(t, rdb.Close()) })
	return rdb
}

// numbers is a cache of numbers, as one process has it.
func numbers(t *testing.T, rdb *redis.Client) (*Cache, *Kind[int]) {
	t.Helper()
	c := New(Config{Redis: rdb})
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c, NewKind(c, KindConfig[int]{
		Name: "number", TTL: time.Hour, Copies: 4,
		Encode: func(n int) ([]byte, error) { return strconv.AppendInt(nil, int64(n), 10), nil },
		Decode: func(data []byte) (int, error) { return strconv.Atoi(string(data)) },
	})
}

func mustGet(t *testing.T, k *Kind[int], name string, source func(context.Context) (int, error)) int {
	t.Helper()
	n, err := k.Get(t.Context(), name, source)
	require.NoError(t, err)
	return n
}

var errSource = errors.New("source is broken")

func newRedis(t *testing.T) *redis.Client { t.Helper(); return testenv.Redis(t) }
