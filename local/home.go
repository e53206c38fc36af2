package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrBusy means that another process runs on the same home.
var ErrBusy = errors.New("already running")

// home is the folder that holds everything of one fleet, locked for us.
type home struct {
	path string
	lock *os.File
}

// openHome makes the folder and locks it. The error is one line for people.
func openHome(path string) (*home, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	h := &home{path: abs}
	// 0711: a server that runs as another user passes through to its own
	// folder; what lies here is readable by its owner only, file by file.
	for _, dir := range []string{abs, h.run(), h.logs()} {
		mode := os.FileMode(0o700)
		if dir == abs {
			mode = 0o711
		}
		if err := os.MkdirAll(dir, mode); err != nil {
			return nil, fmt.Errorf("TIFFIN_HOME: cannot use %s (%w); set it to a folder you may write to", abs, cause(err))
		}
	}
	return h, h.acquire()
}

// acquire takes the lock, or says who has it.
func (h *home) acquire() error {
	f, err := os.OpenFile(filepath.Join(h.path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("TIFFIN_HOME: cannot use %s (%w); set it to a folder you may write to", h.path, cause(err))
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, readErr := os.ReadFile(f.Name())
		return errors.Join(fmt.Errorf("%w on %s (%s); stop it, or set TIFFIN_HOME to run another fleet beside it",
			ErrBusy, h.path, strings.TrimSpace(string(holder))), readErr, f.Close())
	}
	if err := f.Truncate(0); err != nil {
		return errors.Join(err, f.Close())
	}
	if _, err := fmt.Fprintf(f, "pid %d\n", os.Getpid()); err != nil {
		return errors.Join(fmt.Errorf("TIFFIN_HOME: cannot write to %s (%w)", h.path, cause(err)), f.Close())
	}
	h.lock = f
	return nil
}

// release gives the lock back; the file stays, since removing it would race
// with the next owner.
func (h *home) release() { _ = h.lock.Close() }

func (h *home) run() string  { return filepath.Join(h.path, "run") }
func (h *home) logs() string { return filepath.Join(h.path, "log") }

func (h *home) file(name string) string { return filepath.Join(h.path, name) }

// cause is the plain reason inside a path error, whose path the message names
// already.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// writeFile replaces a file in one step, readable by its owner only.
func writeFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
