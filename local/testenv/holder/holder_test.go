package holder_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv/holder"
)

const patience = time.Minute

// serve runs a holder in a folder of its own.
func serve(t *testing.T, dir string, idle time.Duration) (stop func(), done chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listening, done := make(chan struct{}), make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		done <- holder.Serve(ctx, holder.Config{Dir: dir, Idle: idle, Log: slog.New(slog.DiscardHandler)}, func() { close(listening) })
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	select {
	case <-listening:
	case err := <-done:
		require.NoError(t, err)
	}
	return cancel, done
}

// folder is short: a socket's path may have 107 bytes.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "holder-") //nolint:usetesting // its path is long, and named after the test
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func ask(t *testing.T, dir, name string) (map[string]string, io.Closer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return holder.Ask(ctx, filepath.Join(dir, holder.Socket), name)
}

func ping(t *testing.T, url string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	return conn.Close(context.Background())
}

func TestEveryoneSharesOneServer(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	stop, done := serve(t, dir, 0)
	first, one, err := ask(t, dir, holder.Postgres)
	require.NoError(t, err)
	second, two, err := ask(t, dir, holder.Postgres)
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.NoError(t, one.Close())
	require.NoError(t, ping(t, first[holder.URL]), "the other one still holds it")
	stop()
	require.NoError(t, <-done)
	done <- nil
	require.Error(t, ping(t, first[holder.URL]), "no server outlives the holder")
	require.NoError(t, two.Close())
}

func TestNobodyThereForAWhileEndsIt(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	_, done := serve(t, dir, 500*time.Millisecond)
	urls, held, err := ask(t, dir, holder.Postgres)
	require.NoError(t, err, "starting a server takes longer than the idle time")
	require.NoError(t, ping(t, urls[holder.URL]))
	require.NoError(t, held.Close())
	select {
	case err := <-done:
		require.NoError(t, err)
		done <- nil
	case <-time.After(patience):
		require.Fail(t, "still there")
	}
	require.Error(t, ping(t, urls[holder.URL]))
	_, _, err = ask(t, dir, holder.Postgres)
	require.Error(t, err)
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	serve(t, dir, 0)
	_, _, err := ask(t, dir, "oracle")
	require.EqualError(t, err, `no test server "oracle"`)
}

func TestASecondHolderWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	stop, done := serve(t, dir, 0)
	urls, _, err := ask(t, dir, holder.Postgres)
	require.NoError(t, err)
	go stop()
	serve(t, dir, 0) // returns once it listens
	require.NoError(t, <-done)
	done <- nil
	require.Error(t, ping(t, urls[holder.URL]), "the first one's servers are gone by then")
}
