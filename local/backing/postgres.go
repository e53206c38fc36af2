package backing

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/local/process"
)

// PostgresConfig describes one private cluster.
type PostgresConfig struct {
	Name     string // "postgres-a"
	Dir      string // absolute; the cluster's own folder, made when missing
	Port     int
	Password string // of the superuser "tiffin"
	Database string // created when missing
	// Primary is the URL of a running cluster that this one is a streaming copy of,
	// password, database and all; empty for a cluster of its own.
	Primary string
	// Volatile trades durability for speed: for tests whose data dies anyway.
	Volatile bool
	TLS      *TLSFiles
	// MaxConnections is the server's limit; zero means 200.
	MaxConnections int
}

// superuser is the one database user of a private cluster.
const superuser = "tiffin"

// Postgres returns a cluster that is initialised on its first start. As root
// it runs as another user, since PostgreSQL refuses root.
func Postgres(c PostgresConfig) (Server, error) {
	bin, err := postgresBin(c.Dir)
	if err != nil {
		return Server{}, err
	}
	account, err := unprivileged()
	if err != nil {
		return Server{}, err
	}
	if account != nil {
		account.Override = !reachable(c.Dir)
	}
	pg := &postgres{PostgresConfig: c, bin: bin, user: account, data: filepath.Join(c.Dir, "data")}
	u := pg.url(c.Database)
	return Server{
		Name: c.Name, Address: loopback(c.Port), URL: u,
		Prepare: pg.prepare,
		Command: process.Command{
			Name: c.Name, Path: filepath.Join(bin, "postgres"), Args: pg.args(),
			Dir: "/", User: account,
			// The "fast" shutdown: disconnect everybody, write a checkpoint, leave.
			StopSignal: syscall.SIGINT, StopTimeout: 20 * time.Second,
		},
		Probe: func(ctx context.Context) error { return pgDo(ctx, pg.url("postgres"), ping) },
		Setup: pg.createDatabase,
	}, nil
}

type postgres struct {
	PostgresConfig
	bin  string
	user *process.User
	data string
}

// postgresBin finds the server programs: for data that exists those of the
// version that made it, because another version will not open it, and else the
// newest. Debian keeps each version in a folder of its own, off PATH.
func postgresBin(dir string) (string, error) {
	version, err := os.ReadFile(filepath.Join(dir, "data", "PG_VERSION"))
	if err != nil {
		path, err := lookup("postgres", "postgresql", byVersion("/usr/lib/postgresql/*/bin")...)
		return filepath.Dir(path), err
	}
	made := strings.TrimSpace(string(version))
	if bin := filepath.Join("/usr/lib/postgresql", made, "bin"); isProgram(filepath.Join(bin, "postgres")) {
		return bin, nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if says, err := exec.Command(path, "--version").Output(); err == nil && strings.Contains(string(says), " "+made+".") {
			return filepath.Dir(path), nil
		}
	}
	return "", fmt.Errorf("%s holds data of PostgreSQL %s: %w; apt-get install postgresql-%s", dir, made, ErrMissing, made)
}

func (pg *postgres) url(database string) string {
	query := "sslmode=disable"
	if pg.TLS != nil {
		query = "sslmode=verify-full&sslrootcert=" + url.QueryEscape(pg.TLS.CA)
	}
	u := url.URL{
		Scheme: "postgresql", User: url.UserPassword(superuser, pg.Password),
		Host: loopback(pg.Port), Path: "/" + database, RawQuery: query,
	}
	return u.String()
}

// args override postgresql.conf, so that the settings are read in one place
// and stay what this version of Tiffin means.
func (pg *postgres) args() []string {
	connections := pg.MaxConnections
	if connections == 0 {
		connections = 200
	}
	settings := []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(pg.Port),
		"unix_socket_directories=", // the default folder belongs to Debian's own cluster
		"max_connections=" + strconv.Itoa(connections),
		"shared_buffers=64MB", "wal_level=logical", "max_wal_size=256MB",
		"timezone=UTC", "log_timezone=UTC", "log_min_messages=warning", "log_line_prefix=%m ",
	}
	if pg.Volatile {
		// Commits stay synchronous: what was committed must survive the SIGKILL of a test.
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	if pg.TLS != nil {
		settings = append(settings, "ssl=on", "ssl_cert_file="+pg.TLS.Cert, "ssl_key_file="+pg.secretKey())
	}
	args := []string{"-D", pg.data}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

func (pg *postgres) prepare(ctx context.Context) error {
	if err := pg.makeFolder(); err != nil {
		return err
	}
	if err := pg.copyKey(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(pg.data, "PG_VERSION")); err == nil {
		return pg.clearStaleLock()
	}
	// Initialise aside and rename: a half-made cluster, from a Ctrl-C in
	// between, must not look like a whole one.
	fresh := pg.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := pg.initialise(ctx, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, pg.data)
}

// secretKey is the server's own copy of its key: PostgreSQL refuses one that
// another user owns.
func (pg *postgres) secretKey() string { return filepath.Join(pg.Dir, "tls.key") }

func (pg *postgres) copyKey() error {
	if pg.TLS == nil {
		return nil
	}
	key, err := os.ReadFile(pg.TLS.Key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(pg.secretKey(), key, 0o600); err != nil || pg.user == nil {
		return err
	}
	return os.Chown(pg.secretKey(), int(pg.user.UID), int(pg.user.GID))
}

func (pg *postgres) makeFolder() error {
	if err := os.MkdirAll(pg.Dir, 0o700); err != nil {
		return err
	}
	if pg.user == nil {
		return nil
	}
	return os.Chown(pg.Dir, int(pg.user.UID), int(pg.user.GID))
}

func (pg *postgres) initialise(ctx context.Context, dir string) error {
	if pg.Primary != "" {
		return pg.copyPrimary(ctx, dir)
	}
	passwords := filepath.Join(pg.Dir, "password")
	if err := os.WriteFile(passwords, []byte(pg.Password+"\n"), 0o600); err != nil {
		return err
	}
	defer os.Remove(passwords)
	if pg.user != nil {
		if err := os.Chown(passwords, int(pg.user.UID), int(pg.user.GID)); err != nil {
			return err
		}
	}
	args := []string{
		"-D", dir, "-U", superuser, "--pwfile=" + passwords, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C.UTF-8",
	}
	if pg.Volatile {
		args = append(args, "--no-sync")
	}
	return process.Run(ctx, process.Command{
		Name: "initdb", Path: filepath.Join(pg.bin, "initdb"), Args: args, Dir: "/", User: pg.user,
	})
}

// copyPrimary makes a standby that follows its primary from there on.
func (pg *postgres) copyPrimary(ctx context.Context, dir string) error {
	args := []string{"-D", dir, "-d", pg.Primary, "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"}
	if pg.Volatile {
		args = append(args, "--no-sync")
	}
	return process.Run(ctx, process.Command{
		Name: "pg_basebackup", Path: filepath.Join(pg.bin, "pg_basebackup"), Args: args, Dir: "/", User: pg.user,
	})
}

// clearStaleLock removes a postmaster.pid whose pid now belongs to somebody
// else: PostgreSQL would take that process for its predecessor and refuse. It
// does so only when nobody works in the data folder any more: while backends of
// a killed server are still leaving, the file is what keeps a new server out.
func (pg *postgres) clearStaleLock() error {
	path := filepath.Join(pg.data, "postmaster.pid")
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	if _, err := os.Stat(filepath.Join("/proc", strings.TrimSpace(first))); err != nil {
		return nil // the pid is free, so PostgreSQL sees by itself what is the case
	}
	// Server and backends all have the data folder as their working folder.
	folders, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return err
	}
	for _, link := range folders {
		if cwd, err := os.Readlink(link); err == nil && cwd == pg.data {
			return nil
		}
	}
	return os.Remove(path)
}

func (pg *postgres) createDatabase(ctx context.Context) error {
	if pg.Database == "" {
		return nil
	}
	return pgDo(ctx, pg.url("postgres"), func(ctx context.Context, conn *pgx.Conn) error {
		var exists bool
		if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, pg.Database).Scan(&exists); err != nil || exists {
			return err
		}
		_, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{pg.Database}.Sanitize())
		return err
	})
}

func ping(ctx context.Context, conn *pgx.Conn) error { return conn.Ping(ctx) }

// pgDo runs fn on a connection of its own.
func pgDo(ctx context.Context, url string, fn func(context.Context, *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, conn), conn.Close(ctx))
}

// AwaitPostgres returns once the database of the URL can be used, for another
// server that stands on it. Whoever keeps the cluster starts it.
func AwaitPostgres(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("its PostgreSQL is not ready within %s", startTimeout))
	defer cancel()
	return await(ctx, func(ctx context.Context) error { return pgDo(ctx, url, ping) }, nil)
}
