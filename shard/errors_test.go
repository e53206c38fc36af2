package shard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/require"
)

func pgError(code string) error { return fmt.Errorf("query: %w", &pgconn.PgError{Code: code}) }

func TestDiagnose(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err     error
		elapsed time.Duration
		want    trouble
	}{
		"nothing":              {nil, 0, ours},
		"the caller's own":     {errors.New("out of stock"), 0, ours},
		"no rows":              {pgx.ErrNoRows, 0, ours},
		"caller left":          {context.Canceled, time.Minute, ours},
		"caller left, wrapped": {fmt.Errorf("x: %w", context.Canceled), 0, ours},
		"unique violation":     {pgError(pgerrcode.UniqueViolation), 0, ours},
		"syntax":               {pgError(pgerrcode.SyntaxError), 0, ours},
		"missing table":        {pgError(pgerrcode.UndefinedTable), 0, ours},
		"check":                {pgError(pgerrcode.CheckViolation), 0, ours},
		"serialization":        {pgError(pgerrcode.SerializationFailure), 0, retry},
		"deadlock":             {pgError(pgerrcode.DeadlockDetected), 0, retry},
		"not the owner":        {pgError(notOwner), 0, elsewhere},
		"lock":                 {pgError(pgerrcode.LockNotAvailable), 0, busy},
		"statement timeout":    {pgError(pgerrcode.QueryCanceled), 0, busy},
		"idle in transaction":  {pgError(pgerrcode.IdleInTransactionSessionTimeout), 0, busy},
		"deadline, soon":       {context.DeadlineExceeded, 10 * time.Millisecond, busy},
		"deadline, long":       {context.DeadlineExceeded, 2 * time.Second, down},
		"shutdown":             {pgError(pgerrcode.AdminShutdown), 0, down},
		"crash":                {pgError(pgerrcode.CrashShutdown), 0, down},
		"starting":             {pgError(pgerrcode.CannotConnectNow), 0, down},
		"too many connections": {pgError(pgerrcode.TooManyConnections), 0, down},
		"disk full":            {pgError(pgerrcode.DiskFull), 0, down},
		"out of memory":        {pgError(pgerrcode.OutOfMemory), 0, down},
		"i/o error":            {pgError(pgerrcode.IOError), 0, down},
		"broken page":          {pgError(pgerrcode.DataCorrupted), 0, down},
		"standby":              {pgError(pgerrcode.ReadOnlySQLTransaction), 0, down},
		"connection failure":   {pgError(pgerrcode.ConnectionFailure), 0, down},
		"refused":              {&net.OpError{Op: "dial", Err: errors.New("refused")}, 0, down},
		"cut":                  {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), 0, down},
		"hung up":              {io.EOF, 0, down},
		"closed socket":        {net.ErrClosed, 0, down},
		"closed pool":          {puddle.ErrClosedPool, 0, down},
		"conn closed":          {errors.New("conn closed"), 0, down},
	} {
		require.Equal(t, tc.want, diagnose(tc.err, tc.elapsed), name)
	}
}

func TestUnavailableErrorsSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	n := &node{id: "b"}
	cause := pgError(pgerrcode.AdminShutdown)
	err := fmt.Errorf("order: %w", n.translate(cause, 0))
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, cause)
	require.ErrorContains(t, err, "shard b")
	require.False(t, CommitUnknown(err))
	var who interface{ Unavailable() bool }
	require.ErrorAs(t, err, &who)
	require.True(t, who.Unavailable())

	unknown := &UnavailableError{Shard: "b", CommitUnknown: true, Err: io.EOF}
	require.True(t, CommitUnknown(fmt.Errorf("order: %w", unknown)))
	require.ErrorContains(t, unknown, "outcome unknown")
	require.False(t, CommitUnknown(nil))
	require.False(t, CommitUnknown(ErrUnavailable))
}

func TestTranslatingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	n := &node{id: "b"}
	once := n.translate(io.EOF, 0)
	require.Equal(t, once, n.translate(once, time.Minute))
	mine := errors.New("mine")
	require.Equal(t, mine, n.translate(mine, 0))
	require.NoError(t, n.translate(nil, 0))
	require.Equal(t, pgx.ErrNoRows, n.translate(pgx.ErrNoRows, time.Minute), "callers compare it")
}

// TestTheBreakerCountsOnlyTheShardsTroubles drives a breaker with errors of
// every kind.
func TestTheBreakerCountsOnlyTheShardsTroubles(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err   error
		opens bool
	}{
		"success":     {nil, false},
		"business":    {errors.New("out of stock"), false},
		"lock":        {pgError(pgerrcode.LockNotAvailable), false},
		"caller left": {context.Canceled, false},
		"not owner":   {pgError(notOwner), false},
		"hung up":     {io.EOF, true},
		"shutdown":    {pgError(pgerrcode.AdminShutdown), true},
		"lost commit": {&UnavailableError{Shard: "x", CommitUnknown: true, Err: io.EOF, down: true}, true},
	} {
		n := &node{id: "x", timeout: time.Second, breaker: newBreaker("x", slog.New(slog.DiscardHandler))}
		for range tripAfter {
			require.Equal(t, gobreaker.StateClosed, n.breaker.State(), name)
			err := n.call(context.Background(), func(context.Context) error { return tc.err })
			require.Equal(t, tc.err == nil, err == nil, name)
		}
		require.Equal(t, tc.opens, n.breaker.State() == gobreaker.StateOpen, name)
		if !tc.opens {
			continue
		}
		called := false
		err := n.call(context.Background(), func(context.Context) error { called = true; return nil })
		require.ErrorIs(t, err, ErrUnavailable, name)
		require.ErrorIs(t, err, errBreakerOpen, name)
		require.False(t, called, "an open breaker keeps the shard out of it")
	}
}

// TestASuccessBetweenFailuresKeepsTheBreakerShut: connections that die of age,
// one by one, are no outage.
func TestASuccessBetweenFailuresKeepsTheBreakerShut(t *testing.T) {
	t.Parallel()
	n := &node{id: "x", timeout: time.Second, breaker: newBreaker("x", slog.New(slog.DiscardHandler))}
	for i := range 30 {
		err := n.call(context.Background(), func(context.Context) error {
			if i%tripAfter == 0 {
				return nil
			}
			return io.EOF
		})
		require.NotErrorIs(t, err, errBreakerOpen)
	}
}

func TestMigrationsThatArePendingMakeTheShardUnavailable(t *testing.T) {
	t.Parallel()
	n := &node{id: "x", timeout: time.Second, breaker: newBreaker("x", slog.New(slog.DiscardHandler))}
	n.pending.Add(1)
	err := n.call(context.Background(), func(context.Context) error { return nil })
	require.ErrorIs(t, err, errMigrating)
	require.ErrorIs(t, err, ErrUnavailable)
	n.pending.Add(-1)
	require.NoError(t, n.call(context.Background(), func(context.Context) error { return nil }))
}
