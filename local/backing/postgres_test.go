package backing_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/backing"
)

func (b *bench) postgres(t *testing.T, dir string) backing.Server {
	t.Helper()
	s, err := backing.Postgres(backing.PostgresConfig{
		Name: "postgres", Dir: dir, Port: b.port(t), Password: "secret", Database: "shard_a", Volatile: true,
	})
	require.NoError(t, err)
	return s
}

func query(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(ctx, sql)
	return err
}

func TestPostgresKeepsItsDataWhenItIsKilled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.postgres(t, b.folder("pg"))
	p, err := backing.Start(t.Context(), s, b.launcher)
	require.NoError(t, err)
	require.NoError(t, query(t.Context(), s.URL, `CREATE TABLE kept AS SELECT 1 AS id`))
	kill(t, p)

	k := b.keep(t, s)
	k.awaitReady(t)
	require.NoError(t, query(t.Context(), s.URL, `SELECT id FROM kept`))
	k.stop()
	require.NoError(t, <-k.err)
	k.err <- nil
	require.NoFileExists(t, b.folder("pg/data/postmaster.pid"), "it was stopped cleanly")
}

func TestPostgresAsksForThePassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.postgres(t, b.folder("pg"))
	b.keep(t, s).awaitReady(t)
	err := query(t.Context(), strings.Replace(s.URL, "secret", "guess", 1), `SELECT 1`)
	require.ErrorContains(t, err, "password authentication failed")
	require.NoFileExists(t, b.folder("pg/password"))
}

func TestPostgresBelowAPrivateFolder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	private := b.folder("private")
	require.NoError(t, os.Mkdir(private, 0o700))
	b.keep(t, b.postgres(t, filepath.Join(private, "pg"))).awaitReady(t)
}

func TestPostgresAfterAHalfDoneInitdb(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, os.MkdirAll(b.folder("pg/data.new/base"), 0o700))
	b.keep(t, b.postgres(t, b.folder("pg"))).awaitReady(t)
	require.NoDirExists(t, b.folder("pg/data.new"))
}

// A pid in postmaster.pid that now belongs to another process of PostgreSQL's
// user would keep PostgreSQL from starting for ever.
func TestPostgresAfterItsPidWasReused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.postgres(t, b.folder("other"))
	alive, err := backing.Start(t.Context(), other, b.launcher)
	require.NoError(t, err)
	s := b.postgres(t, b.folder("pg"))
	s.Name, s.Command.Name = "second", "second"
	p, err := backing.Start(t.Context(), s, b.launcher)
	require.NoError(t, err)
	kill(t, p)

	path := b.folder("pg/data/postmaster.pid")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(content), "\n")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "%d\n%s", alive.PID(), rest), 0o600))
	b.keep(t, s).awaitReady(t)
	alive.Stop()
}

func TestPostgresOfAnotherVersionIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "data"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o600))
	_, err := backing.Postgres(backing.PostgresConfig{Name: "postgres", Dir: dir})
	require.ErrorContains(t, err, "holds data of PostgreSQL 9")
}
