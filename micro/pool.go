package micro

import (
	"sync"
	"sync/atomic"
)

// pool runs jobs on a bounded number of goroutines behind a bounded queue.
//
// It wakes as few goroutines as the load needs: add wakes one, and a worker that takes a job and leaves others behind
// wakes the next before it begins. So short jobs are run by a few workers that stay busy, and their answers leave in
// few writes, while jobs that block still get all the workers there are. Workers are started when needed and kept,
// because a grown stack is worth more than its memory.
type pool[T any] struct {
	do      func(T)
	limit   int32 // workers
	queue   chan T
	inside  atomic.Int32 // jobs waiting or running
	started atomic.Int32
	idle    atomic.Int32 // workers parked, or about to be
	wake    chan struct{}
	workers sync.WaitGroup
}

func newPool[T any](workers, queue int, do func(T)) *pool[T] {
	return &pool[T]{
		do: do, limit: int32(workers), queue: make(chan T, workers+queue),
		wake: make(chan struct{}, 1),
	}
}

// add hands in a job and never waits; false when workers and queue are full. It must not be called after close.
func (p *pool[T]) add(job T) bool {
	if int(p.inside.Add(1)) > cap(p.queue) {
		p.inside.Add(-1)
		return false
	}
	p.queue <- job
	p.rouse()
	return true
}

// close runs the jobs that are left and returns when all are done.
func (p *pool[T]) close() {
	close(p.queue)
	p.token()
	p.workers.Wait()
}

// rouse gets one more worker going, if there is one. A token left in wake is never lost: a worker counts as idle before
// it looks at the queue for the last time.
func (p *pool[T]) rouse() {
	if p.idle.Load() > 0 {
		p.token()
		return
	}
	if p.started.Add(1) > p.limit {
		p.started.Add(-1)
		return
	}
	p.workers.Go(p.work)
}

// token lets one parked worker go on. There may be one already: whoever takes it rouses the next.
func (p *pool[T]) token() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// work runs jobs until the pool is closed and its queue empty. Who leaves wakes the next, who then finds the same.
func (p *pool[T]) work() {
	for p.runQueued() {
		p.idle.Add(1)
		if len(p.queue) == 0 {
			<-p.wake
		}
		p.idle.Add(-1)
	}
	p.token()
}

// runQueued runs jobs until the queue is empty; false when it will stay so.
func (p *pool[T]) runQueued() bool {
	for {
		select {
		case job, open := <-p.queue:
			if !open {
				return false
			}
			if len(p.queue) > 0 {
				p.rouse()
			}
			p.do(job)
			p.inside.Add(-1)
		default:
			return true
		}
	}
}

// load gives how many jobs run and wait now.
func (p *pool[T]) load() (running, waiting int) {
	waiting = len(p.queue)
	return max(int(p.inside.Load())-waiting, 0), waiting
}
