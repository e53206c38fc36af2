package telemetry

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// text is a format without times.
func text(w io.Writer) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

// writes counts the writes it gets, and takes none while it is shut.
type writes struct {
	gate sync.Mutex
	bytes.Buffer
	n int
}

func (w *writes) Write(p []byte) (int, error) {
	w.gate.Lock()
	defer w.gate.Unlock()
	w.n++
	return w.Buffer.Write(p)
}

func TestLinesOfAMomentAreOneWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out writes
		sink := NewSink(&out, text)
		defer sink.Close()
		log := slog.New(sink.Handler())
		log.Info("one")
		log.Info("two")
		<-time.After(gatherFor)
		synctest.Wait()
		require.Equal(t, "level=INFO msg=one\nlevel=INFO msg=two\n", out.String())
		require.Equal(t, 1, out.n)
		log.Info("three")
		<-time.After(gatherFor)
		synctest.Wait()
		require.Equal(t, "level=INFO msg=one\nlevel=INFO msg=two\nlevel=INFO msg=three\n", out.String())
	})
}

func TestManyWritersLoseNothing(t *testing.T) {
	t.Parallel()
	const writers, lines = 8, 500
	var out writes
	sink := NewSink(&out, text)
	log := slog.New(sink.Handler())
	var all sync.WaitGroup
	for writer := range writers {
		all.Go(func() {
			for line := range lines {
				log.Info("said", "writer", writer, "line", line)
			}
		})
	}
	all.Wait()
	sink.Close()
	next := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var writer, n int
		_, err := fmt.Sscanf(line, "level=INFO msg=said writer=%d line=%d", &writer, &n)
		require.NoError(t, err, line)
		key := fmt.Sprint(writer)
		require.Equal(t, next[key], n, "the lines of a writer stay in order")
		next[key]++
	}
	require.Len(t, next, writers)
	for _, n := range next {
		require.Equal(t, lines, n)
	}
}

func TestLinesAfterTheEndAreWrittenAtOnce(t *testing.T) {
	t.Parallel()
	var out writes
	sink := NewSink(&out, text)
	log := slog.New(sink.Handler())
	log.Info("before")
	sink.Close()
	log.Info("after")
	sink.Close() // twice does no harm
	require.Equal(t, "level=INFO msg=before\nlevel=INFO msg=after\n", out.String())
}

// TestNobodyWaitsForAPipeThatNobodyReads: a write that never returns must
// neither stop those who log nor make the process grow.
func TestNobodyWaitsForAPipeThatNobodyReads(t *testing.T) {
	t.Parallel()
	var out writes
	sink := NewSink(&out, text)
	log := slog.New(sink.Handler())
	out.gate.Lock()
	long := strings.Repeat("x", 1<<20)
	for range 20 {
		log.Info(long)
	}
	out.gate.Unlock()
	sink.Close()
	said, dropped := 0, 0
	for line := range strings.Lines(out.String()) {
		var lines int
		if _, err := fmt.Sscanf(line, "level=WARN msg=\"log lines dropped: nobody took them in time\" lines=%d\n", &lines); err == nil {
			dropped += lines
			continue
		}
		require.Len(t, line, len("level=INFO msg=\n")+len(long), "lines are whole")
		said++
	}
	require.Positive(t, said)
	require.Less(t, said, 2*maxPending>>20, "what was under way and what was kept")
	require.Equal(t, 20, said+dropped, "what is dropped is counted")
}
