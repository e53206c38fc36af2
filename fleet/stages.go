package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// drainTimeout bounds the end of one stage. The edge itself gives requests in
// flight 10 s.
const drainTimeout = 15 * time.Second

// stage is a set of roles that start together and stop together.
type stage struct {
	roles []role
	// before runs once the stages before this one answer.
	before func(ctx context.Context) error
}

// supervisor runs stages one after the other and stops them in reverse.
type supervisor struct {
	log *slog.Logger
	// failed ends when a role is lost; its cause is the reason.
	failed context.Context
	fail   context.CancelCauseFunc
}

// run starts the stages in order, waits for ctx to end or a role to fail, and
// stops them in reverse order: each stage has drained before the one it stands
// on is told to stop.
func run(ctx context.Context, stages []stage, lost <-chan error, log *slog.Logger) error {
	failed, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s := &supervisor{log: log, failed: failed, fail: fail}
	go func() {
		select {
		case err := <-lost:
			fail(err)
		case <-failed.Done():
		}
	}()
	return s.run(ctx, stages)
}

func (s *supervisor) run(ctx context.Context, stages []stage) error {
	var stops []func()
	defer func() {
		for i := len(stops) - 1; i >= 0; i-- {
			stops[i]()
		}
	}()
	for _, st := range stages {
		if st.before != nil {
			if err := st.before(s.failed); err != nil {
				return s.reason(ctx, err)
			}
		}
		stops = append(stops, s.start(st.roles))
		if !s.answer(st.roles) {
			break
		}
	}
	<-s.failed.Done()
	return s.reason(ctx, context.Cause(s.failed))
}

// reason tells a wanted end from a failure.
func (s *supervisor) reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	s.log.Error("stopping", "error", err)
	return err
}

// start runs the roles and returns what stops them and waits for them.
func (s *supervisor) start(roles []role) func() {
	// Not a child of the outer context: a stage ends when it is its turn.
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.failed))
	var running sync.WaitGroup
	for _, r := range roles {
		running.Go(func() {
			err := r.run(ctx)
			if ctx.Err() != nil {
				return // stopped; what it says about that is no news
			}
			if err == nil {
				err = fmt.Errorf("ended by itself")
			}
			s.fail(fmt.Errorf("role %s: %w", r.name, err))
		})
	}
	return func() {
		cancel()
		s.await(&running, roles)
	}
}

// await waits for a stage to drain, but not for ever: what hangs must not keep
// the rest from ending well.
func (s *supervisor) await(running *sync.WaitGroup, roles []role) {
	drained := make(chan struct{})
	go func() {
		running.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-time.After(drainTimeout):
		for _, r := range roles {
			s.log.Error("did not drain in time, going on without it", "role", r.name, "timeout", drainTimeout)
		}
	}
}

// answer waits until all roles answer; false means that the end came first.
func (s *supervisor) answer(roles []role) bool {
	for _, r := range roles {
		if r.ready == nil {
			continue
		}
		select {
		case <-r.ready:
			s.log.Info("role answers", "role", r.name)
		case <-s.failed.Done():
			return false
		}
	}
	return true
}
