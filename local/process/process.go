package process

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a running child, or one that has ended.
type Process struct {
	command    Command
	cmd        *exec.Cmd
	recordPath string
	logPath    string
	logStart   int64 // what the log held before this child

	done chan struct{}
	err  error // of Wait; readable after done

	stopOnce sync.Once
}

// PID is the child's process id, which is its group's id too.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended and was waited for.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err tells how the child ended, nil for exit status 0. Valid after Done.
func (p *Process) Err() error { return p.err }

// LastLine returns the last line of what the child has written that speaks of
// an error, or else the very last one; "" when it wrote nothing. It is shortened
// to what fits on a terminal.
func (p *Process) LastLine() string {
	const tail, width = 4096, 160
	f, err := os.Open(p.logPath)
	if err != nil {
		return ""
	}
	defer f.Close()
	from := p.logStart
	if info, err := f.Stat(); err == nil {
		from = max(from, info.Size()-tail)
	}
	buf := make([]byte, tail)
	n, err := f.ReadAt(buf, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	last := []rune(telling(strings.Split(strings.TrimSpace(string(buf[:n])), "\n")))
	if len(last) > width {
		return string(last[:width]) + "…"
	}
	return string(last)
}

// trouble is how the servers mark what went wrong, before they say goodbye.
var trouble = regexp.MustCompile(`(?i)\b(fatal|panic|error|could not)\b`)

func telling(lines []string) string {
	for i := len(lines) - 1; i >= 0; i-- {
		if trouble.MatchString(lines[i]) {
			return strings.TrimSpace(lines[i])
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

// Stop asks the child to end, kills its group after the command's StopTimeout,
// and returns when it is gone. It may be called from several goroutines.
func (p *Process) Stop() {
	p.stopOnce.Do(func() {
		if err := p.cmd.Process.Signal(p.command.stopSignal()); err != nil && !errors.Is(err, os.ErrProcessDone) {
			p.signalGroup(syscall.SIGKILL)
		}
		timer := time.AfterFunc(p.command.stopTimeout(), p.Kill)
		defer timer.Stop()
		<-p.done
		p.forget()
	})
	<-p.done
}

// Kill ends the child's group at once. It does not wait; Done does.
func (p *Process) Kill() { p.signalGroup(syscall.SIGKILL) }

// signalGroup reaches the group even after its leader has ended.
func (p *Process) signalGroup(sig syscall.Signal) {
	// ESRCH, nobody left, is what we want; nothing else can be done about others.
	_ = syscall.Kill(-p.PID(), sig)
}

// forget removes the record of a child that has ended; a record left behind
// costs the next run one look at /proc.
func (p *Process) forget() { _ = os.Remove(p.recordPath) }
