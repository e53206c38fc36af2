package bridge

import (
	"context"
	"sync"
)

// pulse finds out whether somebody answers at the other end of a connection. A frozen broker keeps its connections; that
// it misses heartbeats shows only after ten seconds.
//
// The library's calls know no deadline: a question that was asked ends with its answer, or with the connection. So there
// is never more than one, and whoever comes meanwhile waits for the same answer.
type pulse struct {
	beat func() error

	mu    sync.Mutex
	asked *question
}

// question is one beat; err is for whoever has seen done closed.
type question struct {
	done chan struct{}
	err  error
}

// feel returns the answer, or the error of ctx when there is none in time.
func (p *pulse) feel(ctx context.Context) error {
	q := p.ask()
	select {
	case <-q.done:
		return q.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask gives the question that is open, or opens one.
func (p *pulse) ask() *question {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked != nil {
		select {
		case <-p.asked.done:
		default:
			return p.asked
		}
	}
	q := &question{done: make(chan struct{})}
	p.asked = q
	go func() {
		defer close(q.done)
		q.err = p.beat()
	}()
	return q
}
