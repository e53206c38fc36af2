package local

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheFleetsLogStartsAnewWhenItIsFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fleet.log")
	require.NoError(t, os.WriteFile(path, make([]byte, maxFleetLog-10), 0o600))
	l, err := openLogFile(path)
	require.NoError(t, err)
	_, err = l.Write([]byte("12345678\n"))
	require.NoError(t, err)
	_, err = l.Write([]byte("next\n"))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "next\n", string(content))
	require.FileExists(t, path+".1")
	_, err = l.Write([]byte("late\n"))
	require.ErrorIs(t, err, os.ErrClosed)
}

func TestManyWritersOneLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fleet.log")
	l, err := openLogFile(path)
	require.NoError(t, err)
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 100 {
				_, err := l.Write([]byte("line\n"))
				require.NoError(t, err)
			}
		})
	}
	writers.Wait()
	require.NoError(t, l.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 800, bytes.Count(content, []byte("line\n")))
}

func TestTheNATSServerLogsThroughSlog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := natsLog{slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))}
	l.Noticef("chatter %d", 1)
	l.Debugf("chatter %d", 2)
	l.Tracef("chatter %d", 3)
	l.Warnf("Plaintext passwords chatter")
	l.Warnf("careful %d", 4)
	l.Errorf("broken %d", 5)
	l.Fatalf("over %d", 6)
	require.NotContains(t, out.String(), "chatter")
	for _, want := range []string{"careful 4", "broken 5", "over 6"} {
		require.Contains(t, out.String(), want)
	}
}

func TestProgressIsOneLineEach(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newProgress(&out)
	p.ready("redis", "127.0.0.1:6379")
	p.line("x")
	require.Regexp(t, `^  ready  redis +127\.0\.0\.1:6379 +\d+\.\d s\nx\n$`, out.String())
}
