package backing

import (
	"context"
	"errors"
	"fmt"

	"tiffin/local/process"
)

// Start runs one life of a server: prepares and starts it and returns when it
// is ready. On an error nothing runs, and the message is one line that says how
// the child ended and where to read more.
func Start(ctx context.Context, s Server, l *process.Launcher) (*process.Process, error) {
	if s.Prepare != nil {
		if err := s.Prepare(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	p, err := l.Start(s.Command)
	if err != nil {
		return nil, err
	}
	if err := becomeReady(ctx, s, p); err != nil {
		p.Stop()
		return nil, explain(err, s, l, p)
	}
	return p, nil
}

func becomeReady(ctx context.Context, s Server, p *process.Process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not ready within %s", startTimeout))
	defer cancel()
	if err := await(ctx, s.Probe, p.Done()); err != nil {
		return err
	}
	if s.Setup == nil {
		return nil
	}
	return s.Setup(ctx)
}

// explain says in one line how the child ended and where to read more.
func explain(err error, s Server, l *process.Launcher, p *process.Process) error {
	log := l.LogPath(s.Name)
	if !errors.Is(err, errEnded) {
		return fmt.Errorf("%s: %w; see %s", s.Name, err, log)
	}
	reason := "exit status 0"
	if p.Err() != nil {
		reason = p.Err().Error()
	}
	if last := p.LastLine(); last != "" {
		reason += ": " + last
	}
	return fmt.Errorf("%s ended (%s); see %s", s.Name, reason, log)
}
