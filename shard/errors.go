package shard

import (
	"errors"
	"fmt"
)

// ErrUnavailable is matched by every error that says "this shard cannot serve now, try again soon".
// Such errors are *UnavailableError values and answer Unavailable() with true.
var ErrUnavailable = errors.New("shard unavailable")

// UnavailableError says that a shard could not be reached, answered too late, or does not own the region now.
// Its text names the shard and the cause; it is for logs, not for clients.
type UnavailableError struct {
	Shard string // id of the shard, such as "a"
	// CommitUnknown is true when the connection broke during COMMIT: the transaction may or may not have
	// happened, and only looking its key up can tell.
	CommitUnknown bool
	Err           error
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

// CommitUnknown tells whether err leaves open if the transaction was committed. The caller must read its own
// key back before it reports success or failure.
func CommitUnknown(err error) bool {
	var unavailable *UnavailableError
	return errors.As(err, &unavailable) && unavailable.CommitUnknown
}
