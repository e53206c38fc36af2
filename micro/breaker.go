package micro

import (
	"errors"
	"sync"
	"time"
)

const (
	// breakAfter calls in a row without an answer open the breaker.
	breakAfter = 10
	// probeEvery is how often an open breaker lets a call try.
	probeEvery = 100 * time.Millisecond
)

// errOpen is the fate of a call that an open breaker refuses: nothing was sent.
var errOpen = errors.New("circuit breaker is open")

// breaker spares callers the wait for a service that answers nothing at all.
//
// It is not a library's, because those wait in their half-open state for the answer to a few trial calls before they let
// others pass. Here a trial may hang for seconds, on an instance that is paused, while the instance beside it answers: the
// service was back, and everybody was refused. So trials overlap, ten a second, and the first answer of any call closes.
type breaker struct {
	clock func() time.Time

	mu       sync.Mutex
	failed   int       // calls without an answer in a row
	answered time.Time // when the last answer came
	next     time.Time // when the next call may try, while open
}

// allow tells whether a call may be sent, and when it was: for done.
func (b *breaker) allow() (began time.Time, ok bool) {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < breakAfter {
		return now, true
	}
	if now.Before(b.next) {
		return now, false
	}
	b.next = now.Add(probeEvery)
	return now, true
}

// done notes how a call ended that allow let pass. One that began before the last answer came and failed says nothing
// about now.
func (b *breaker) done(began time.Time, answered bool) {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case answered:
		b.failed, b.answered = 0, now
	case began.After(b.answered):
		if b.failed++; b.failed == breakAfter {
			b.next = now.Add(probeEvery)
		}
	}
}
