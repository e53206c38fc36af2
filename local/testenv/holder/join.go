package holder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// SocketVariable names the socket of the holder that a test run has started;
// without it, tests share one per user that they start themselves.
const SocketVariable = "TIFFIN_TEST_SERVERS"

// Join asks the run's holder for a server, starting a holder of this user when
// there is none. Close the result when the server is no longer needed.
func Join(ctx context.Context, name string) (map[string]string, io.Closer, error) {
	if socket := os.Getenv(SocketVariable); socket != "" {
		return Ask(ctx, socket, name)
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("tiffin-test-%d", os.Getuid()))
	for {
		urls, conn, err := Ask(ctx, filepath.Join(dir, Socket), name)
		switch {
		case err == nil:
			return urls, conn, nil
		case !gone(err):
			return nil, nil, err
		}
		if err := spawn(ctx, dir); err != nil {
			return nil, nil, err
		}
	}
}

// gone tells a holder that is not there, or just leaving, from one that
// answered with an error.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) ||
		errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// spawn makes sure that a holder listens in dir. Of several test processes one
// starts it while the others wait for the lock.
func spawn(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "spawn.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	if conn, err := net.Dial("unix", filepath.Join(dir, Socket)); err == nil {
		return conn.Close()
	}
	root, err := ModuleRoot(ctx)
	if err != nil {
		return err
	}
	binary := filepath.Join(dir, "testservers")
	if err := goBuild(ctx, root, binary, "./local/testservers"); err != nil {
		return err
	}
	return startHolder(root, binary, dir)
}

// startHolder starts the holder detached, since it outlives this test process,
// and returns when it listens.
func startHolder(root, binary, dir string) error {
	log, err := os.OpenFile(filepath.Join(dir, "holder.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(binary, "-hold", dir)
	cmd.Dir, cmd.Stderr = root, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	listening, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// It closes its output when it listens, or when it dies.
	if _, err := io.Copy(io.Discard, listening); err != nil {
		return err
	}
	return cmd.Process.Release()
}
