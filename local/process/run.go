package process

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"syscall"
)

// Run runs a command to its end, without record or log: for short tools. Its
// output is part of the error.
func Run(ctx context.Context, c Command) error {
	// The thread that starts the child must outlive it, see Launcher.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out bytes.Buffer
	cmd := c.build(nil)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.Name, err)
	}
	stop := context.AfterFunc(ctx, func() {
		// A tool that has ended meanwhile is what we want.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	defer stop()
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w: %s", c.Name, err, strings.TrimSpace(out.String()))
	}
	return nil
}
