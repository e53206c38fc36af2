package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// ErrClosed is returned by Start after Close.
var ErrClosed = errors.New("process: launcher is closed")

// Launcher starts children from one thread that lives as long as it does,
// because the kernel ties a child's death signal to the starting thread, and
// the runtime may end any other.
type Launcher struct {
	runDir, logDir string

	starts chan start
	close  chan struct{}
	done   chan struct{}
	once   sync.Once

	mu   sync.Mutex
	live map[*Process]struct{}
}

type start struct {
	cmd    *exec.Cmd
	result chan error
}

// NewLauncher keeps records in runDir and the children's output in logDir;
// both must exist.
func NewLauncher(runDir, logDir string) *Launcher {
	l := &Launcher{
		runDir: runDir, logDir: logDir,
		starts: make(chan start), close: make(chan struct{}), done: make(chan struct{}),
		live: map[*Process]struct{}{},
	}
	go l.loop()
	return l
}

func (l *Launcher) loop() {
	defer close(l.done)
	// Never unlocked: when the goroutine ends, so does the thread, and with it
	// whatever child somebody forgot to stop.
	runtime.LockOSThread()
	for {
		select {
		case s := <-l.starts:
			s.result <- s.cmd.Start()
		case <-l.close:
			return
		}
	}
}

// Close ends the launcher's thread. Children that still run get their stop
// signal from the kernel; nobody waits for them.
func (l *Launcher) Close() {
	l.once.Do(func() { close(l.close) })
	<-l.done
}

// LogPath is where the output of the named child goes.
func (l *Launcher) LogPath(name string) string { return filepath.Join(l.logDir, name+".log") }

// Start runs the command and records it. An error means that nothing runs.
func (l *Launcher) Start(c Command) (*Process, error) {
	log, err := openLog(l.LogPath(c.Name))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own descriptor

	cmd := c.build(log.File)
	s := start{cmd: cmd, result: make(chan error, 1)}
	select {
	case l.starts <- s:
	case <-l.done:
		return nil, ErrClosed
	}
	if err := <-s.result; err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := l.watch(c, cmd, log.before)
	if err := p.record(); err != nil {
		p.Kill()
		return nil, fmt.Errorf("record %s: %w", c.Name, err)
	}
	return p, nil
}

// watch waits for the child in the background: somebody has to, or it stays a
// zombie, and its end is what supervision is about.
func (l *Launcher) watch(c Command, cmd *exec.Cmd, logStart int64) *Process {
	p := &Process{
		command: c, cmd: cmd, done: make(chan struct{}),
		recordPath: filepath.Join(l.runDir, c.Name+".json"), logPath: l.LogPath(c.Name), logStart: logStart,
	}
	l.mu.Lock()
	l.live[p] = struct{}{}
	l.mu.Unlock()
	go func() {
		p.err = cmd.Wait()
		// Stragglers of the group would keep ports and files from the successor.
		p.signalGroup(syscall.SIGKILL)
		l.mu.Lock()
		delete(l.live, p)
		l.mu.Unlock()
		close(p.done)
	}()
	return p
}

// KillAll ends all children at once, as a second Ctrl-C wants it. Whoever
// waits for them learns of it as of any death.
func (l *Launcher) KillAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.live {
		p.Kill()
	}
}

// maxLog is the size at which a child's log starts anew, in bytes; the one
// before is kept beside it.
const maxLog = 10 << 20

// childLog is a child's log and what was in it before.
type childLog struct {
	*os.File
	before int64
}

func openLog(path string) (childLog, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return childLog{}, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return childLog{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return childLog{}, errors.Join(err, f.Close())
	}
	return childLog{f, info.Size()}, nil
}
