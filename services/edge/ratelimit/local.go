package ratelimit

import (
	"sync"
	"time"
)

// maxLocalKeys bounds the memory of the local state, at roughly 100 bytes a
// key.
const maxLocalKeys = 100_000

// local is the same algorithm on this process's memory, for the time Redis is
// away.
type local struct {
	clock func() time.Time
	mu    sync.Mutex
	tats  map[string]time.Time // key → theoretical arrival time
}

// newLocal makes an empty state on a clock, time.Now if it is nil.
func newLocal(clock func() time.Time) *local {
	if clock == nil {
		clock = time.Now
	}
	return &local{clock: clock, tats: make(map[string]time.Time)}
}

// take decides as gcra.lua does, in the same order and with the same numbers.
// A test holds the two side by side.
func (l *local) take(rate int, keys [2]string) Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, step := l.clock(), interval(rate)
	window := step * time.Duration(rate)
	var debts [2]time.Duration
	var worst time.Duration
	for i, key := range keys {
		if key != "" {
			debts[i] = max(l.tats[key].Sub(now), 0) + step
			worst = max(worst, debts[i])
		}
	}
	if worst > window {
		return Decision{Limit: rate, Remaining: 0, RetryAfter: worst - window, Reset: worst - step}
	}
	l.makeRoom(now)
	for i, key := range keys {
		if key != "" {
			l.tats[key] = now.Add(debts[i])
		}
	}
	return Decision{Allowed: true, Limit: rate, Remaining: int((window - worst) / step), Reset: worst}
}

// makeRoom forgets keys that owe nothing any more and, if a flood of addresses
// leaves too many others, arbitrary ones: forgetting a key forgives it at most
// one second's worth.
func (l *local) makeRoom(now time.Time) {
	if len(l.tats) < maxLocalKeys {
		return
	}
	for key, tat := range l.tats {
		if !tat.After(now) {
			delete(l.tats, key)
		}
	}
	for key := range l.tats {
		if len(l.tats) < maxLocalKeys*9/10 {
			return
		}
		delete(l.tats, key)
	}
}
