package ratelimit

import "time"

// Local is the local state, for tests of its rules.
type Local = local

// NewLocal makes one on a clock.
func NewLocal(clock func() time.Time) *Local { return newLocal(clock) }

// TakeLocal decides by it.
func (l *Local) TakeLocal(rate int, keys [2]string) Decision { return l.take(rate, keys) }

// Size is how many keys it remembers.
func (l *Local) Size() int { return len(l.tats) }

// MaxLocalKeys is its bound.
const MaxLocalKeys = maxLocalKeys

// Away reports whether Redis is not asked.
func (l *Limiter) Away() bool { return l.away.Load() }
