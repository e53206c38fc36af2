package fleet

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// journal notes what happens in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// role runs until it is stopped, and notes both.
func (j *journal) role(name string) role {
	ready := make(chan struct{})
	return role{name: name, ready: ready, run: func(ctx context.Context) error {
		j.note("start " + name)
		close(ready)
		<-ctx.Done()
		j.note("stop " + name)
		return ctx.Err()
	}}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestStagesStartInOrderAndStopInReverse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			done <- run(ctx, []stage{
				{roles: []role{j.role("service")}},
				{roles: []role{j.role("relay")}},
				{roles: []role{j.role("edge")}, before: func(context.Context) error {
					j.note("before edge")
					return nil
				}},
			}, nil, quiet())
		}()
		synctest.Wait()
		cancel()
		require.NoError(t, <-done, "a wanted end is no failure")
		require.Equal(t, []string{
			"start service", "start relay", "before edge", "start edge",
			"stop edge", "stop relay", "stop service",
		}, j.lines)
	})
}

func TestALostRoleEndsTheOthersAndSaysWhy(t *testing.T) {
	t.Parallel()
	broken := errors.New("subscription lost")
	for name, c := range map[string]struct {
		fails error
		want  string
	}{
		"with an error": {broken, "role bad: subscription lost"},
		"silently":      {nil, "role bad: ended by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := &journal{}
			bad := role{name: "bad", run: func(context.Context) error { return c.fails }}
			err := run(t.Context(), []stage{{roles: []role{j.role("good")}}, {roles: []role{bad}}}, nil, quiet())
			require.EqualError(t, err, c.want)
			require.Equal(t, []string{"start good", "stop good"}, j.lines)
		})
	}
}

func TestALostConnectionEndsTheFleet(t *testing.T) {
	t.Parallel()
	j, lost := &journal{}, make(chan error, 1)
	lost <- errors.New("nats is closed")
	err := run(t.Context(), []stage{{roles: []role{j.role("service")}}}, lost, quiet())
	require.EqualError(t, err, "nats is closed")
}

func TestWhatFailsBeforeAStageEndsTheFleet(t *testing.T) {
	t.Parallel()
	j := &journal{}
	err := run(t.Context(), []stage{
		{roles: []role{j.role("service")}},
		{roles: []role{j.role("edge")}, before: func(context.Context) error { return errors.New("no") }},
	}, nil, quiet())
	require.EqualError(t, err, "no")
	require.Equal(t, []string{"start service", "stop service"}, j.lines, "the edge never opened")
}

func TestStoppingWhileARoleIsNotReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := &journal{}
		slow := j.role("slow")
		slow.ready = make(chan struct{}) // never
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			done <- run(ctx, []stage{{roles: []role{slow}}, {roles: []role{j.role("edge")}}}, nil, quiet())
		}()
		synctest.Wait()
		cancel()
		require.NoError(t, <-done)
		require.Equal(t, []string{"start slow", "stop slow"}, j.lines)
	})
}

func TestWhatHangsDoesNotKeepTheRestFromEndingWell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, release := &journal{}, make(chan struct{})
		hangs := role{name: "edge", run: func(context.Context) error {
			<-release
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			done <- run(ctx, []stage{{roles: []role{j.role("service")}}, {roles: []role{hangs}}}, nil, quiet())
		}()
		synctest.Wait()
		asked := time.Now()
		cancel()
		require.NoError(t, <-done)
		require.Equal(t, drainTimeout, time.Since(asked))
		require.Equal(t, []string{"start service", "stop service"}, j.lines)
		close(release)
	})
}
