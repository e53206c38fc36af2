package shard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
)

// ErrUnavailable is matched by every error that says "this shard cannot serve
// now, try again soon". Such errors are *UnavailableError values and answer
// Unavailable() with true.
var ErrUnavailable = errors.New("shard unavailable")

// UnavailableError says that a shard could not be reached, answered too late,
// or does not own the region now. Its text names the shard and the cause; it is
// for logs, not for clients.
type UnavailableError struct {
	Shard string // id of the shard, such as "a"
	// CommitUnknown is true when the connection broke during COMMIT: the
	// transaction may or may not have happened, and only looking its key up can
	// tell.
	CommitUnknown bool
	Err           error

	// down is true when the shard itself is in trouble, as opposed to busy with
	// a lock: only that opens the breaker.
	down bool
}

// Error describes the shard and the cause.
func (e *UnavailableError) Error() string {
	if e.CommitUnknown {
		return fmt.Sprintf("shard %s: commit outcome unknown: %v", e.Shard, e.Err)
	}
	return fmt.Sprintf("shard %s unavailable: %v", e.Shard, e.Err)
}

// Unwrap gives the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Is matches ErrUnavailable.
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// Unavailable is how packages that do not import this one recognise the error.
func (e *UnavailableError) Unavailable() bool { return true }

// CommitUnknown tells whether err leaves open if the transaction was committed.
// The caller must read its own key back before it reports success or failure.
func CommitUnknown(err error) bool {
	var unavailable *UnavailableError
	return errors.As(err, &unavailable) && unavailable.CommitUnknown
}

// notOwner is the SQLSTATE by which a shard refuses writes of a region it does
// not own; see the migrations.
const notOwner = "TF001"

// trouble sorts what went wrong by what should be done about it.
type trouble int

const (
	ours      trouble = iota // the caller's business: passed through
	retry                    // nothing happened, the same transaction may succeed: run again
	elsewhere                // the region is not here (now): look where it went and run again
	busy                     // a lock or the caller's impatience: unavailable, but the shard is well
	down                     // no connection, no answer: unavailable, and counted by the breaker
)

// patience is how long a shard must have kept a call waiting before a missed
// deadline says anything about the shard rather than about a caller who came
// with little time left.
const patience = time.Second

// diagnose sorts an error of a call that took elapsed.
func diagnose(err error, elapsed time.Duration) trouble {
	var pgErr *pgconn.PgError
	var netErr net.Error
	var connectErr *pgconn.ConnectError
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return ours
	case errors.As(err, &connectErr) && errors.As(err, &pgErr):
		return down // refused at the door, whatever the reason: the database is not there yet, the password is another
	case errors.As(err, &pgErr):
		return diagnoseCode(pgErr.Code)
	case errors.Is(err, context.DeadlineExceeded):
		if elapsed < patience {
			return busy
		}
		return down
	case errors.As(err, &connectErr), errors.As(err, &netErr),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, puddle.ErrClosedPool), brokenConn(err):
		return down
	default:
		return ours
	}
}

func diagnoseCode(code string) trouble {
	switch code {
	case notOwner:
		return elsewhere
	case pgerrcode.SerializationFailure, pgerrcode.DeadlockDetected:
		return retry
	case pgerrcode.LockNotAvailable, pgerrcode.QueryCanceled, pgerrcode.IdleInTransactionSessionTimeout:
		return busy
	case pgerrcode.AdminShutdown, pgerrcode.CrashShutdown, pgerrcode.CannotConnectNow, pgerrcode.DatabaseDropped,
		pgerrcode.ReadOnlySQLTransaction:
		return down
	}
	if pgerrcode.IsConnectionException(code) || pgerrcode.IsInsufficientResources(code) ||
		pgerrcode.IsSystemError(code) || pgerrcode.IsInternalError(code) {
		return down
	}
	return ours
}

// brokenConn recognises pgx's answer on a connection that a previous statement
// of the same transaction lost; it has no sentinel for it.
func brokenConn(err error) bool {
	text := err.Error()
	return strings.Contains(text, "conn closed") || strings.Contains(text, "conn busy")
}
