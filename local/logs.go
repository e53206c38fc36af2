package local

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
)

// maxFleetLog is the size in bytes at which the fleet's log starts anew; the
// one before is kept beside it, so that a fleet left running does not fill the
// disk.
const maxFleetLog = 32 << 20

// logFile is a file that starts anew when it has grown too large.
type logFile struct {
	path string
	mu   sync.Mutex
	file *os.File
	size int64
}

func openLogFile(path string) (*logFile, error) {
	l := &logFile{path: path}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write appends, turning the file over first when it is full.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size+int64(len(p)) > maxFleetLog {
		if err := errors.Join(l.file.Close(), os.Rename(l.path, l.path+".1"), l.open()); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

// Close closes the file.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// natsLog lets the embedded nats-server log through slog.
type natsLog struct{ log *slog.Logger }

func (n natsLog) Noticef(format string, v ...any) { n.log.Debug(fmt.Sprintf(format, v...)) }
func (n natsLog) Debugf(format string, v ...any)  { n.log.Debug(fmt.Sprintf(format, v...)) }
func (n natsLog) Tracef(format string, v ...any)  { n.log.Debug(fmt.Sprintf(format, v...)) }
func (n natsLog) Errorf(format string, v ...any)  { n.log.Error(fmt.Sprintf(format, v...)) }
func (n natsLog) Fatalf(format string, v ...any)  { n.log.Error(fmt.Sprintf(format, v...)) }

func (n natsLog) Warnf(format string, v ...any) {
	// Not here: the passwords are random and live in memory, and hashing would
	// cost every connection a tenth of a second.
	if strings.HasPrefix(format, "Plaintext passwords") {
		n.Debugf(format, v...)
		return
	}
	n.log.Warn(fmt.Sprintf(format, v...))
}
