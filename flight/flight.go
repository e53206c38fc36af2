// Package flight shares an answer among all who ask the same at the same time,
// and gives nobody one that is older than the asking. The usual single flight
// does: whoever joins a call that is running may get what was so before.
package flight

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Group shares loads among concurrent callers for the same key. A caller only ever gets the result of a load that
// began after the call did: it starts one when none is running, and otherwise joins the one that comes next. So what a
// caller gets is as fresh as if it had asked alone. The zero value is ready.
type Group[T any] struct {
	// Patience is how long a load keeps the next one of its key waiting; 0: until
	// it has ended. With it, a load that hangs holds up nobody but those it is for.
	Patience time.Duration

	mu    sync.Mutex
	lanes map[string]*lane[T]
}

// lane is the running load of one key, whose result is of no use to newcomers, and the next one, which is.
type lane[T any] struct{ next *load[T] }

// load is one call of the source, shared by those who wait for done.
type load[T any] struct {
	fn    func(context.Context) (T, error)
	ctx   context.Context // of the caller that asked first, without its end
	done  chan struct{}
	value T
	err   error
}

// Do returns the result of fn, or of another caller's fn that began after Do was called. It returns early when ctx
// ends; the load goes on for the others, so fn must bound itself.
func (f *Group[T]) Do(ctx context.Context, key string, fn func(context.Context) (T, error)) (T, error) {
	l := f.join(ctx, key, fn)
	select {
	case <-l.done:
		return l.value, l.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// join gives the load whose result the caller may have: a new one, or the one that has yet to begin.
func (f *Group[T]) join(ctx context.Context, key string, fn func(context.Context) (T, error)) *load[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if current, busy := f.lanes[key]; busy {
		if current.next == nil {
			current.next = newLoad(ctx, fn)
		}
		return current.next
	}
	if f.lanes == nil {
		f.lanes = make(map[string]*lane[T])
	}
	f.lanes[key] = &lane[T]{}
	first := newLoad(ctx, fn)
	go f.drive(key, first)
	return first
}

func newLoad[T any](ctx context.Context, fn func(context.Context) (T, error)) *load[T] {
	return &load[T]{fn: fn, ctx: context.WithoutCancel(ctx), done: make(chan struct{})}
}

// drive runs the loads of one key, one after another, until nobody waits for a
// next one, or until one takes so long that another driver takes over.
func (f *Group[T]) drive(key string, l *load[T]) {
	for ; l != nil; l = f.next(key) {
		if f.Patience == 0 {
			l.run()
			continue
		}
		slow := time.AfterFunc(f.Patience, func() { f.drive(key, f.next(key)) })
		l.run()
		if !slow.Stop() {
			return
		}
	}
}

// next gives the load that others wait for; nil ends the driver, and whoever
// comes then finds nobody there.
func (f *Group[T]) next(key string) *load[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	current := f.lanes[key]
	l := current.next
	if current.next = nil; l == nil {
		delete(f.lanes, key)
	}
	return l
}

// run turns a panic into an error for every waiter: unanswered, they would wait until their contexts end.
func (l *load[T]) run() {
	defer close(l.done)
	defer func() {
		if r := recover(); r != nil {
			l.err = &PanicError{Value: r}
		}
	}()
	l.value, l.err = l.fn(l.ctx)
}

// PanicError is what the callers of a load get when it panicked.
type PanicError struct{ Value any }

// Error gives the value that was panicked with.
func (e *PanicError) Error() string { return fmt.Sprintf("load panicked: %v", e.Value) }
