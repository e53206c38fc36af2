package shard

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// ownMigrations are this package's own: the schema "shard" with the ownership
// rows.
//
//go:embed migrations/*.sql
var ownMigrations embed.FS

// migrateRetry is how often a shard that was away is tried again.
const migrateRetry = time.Second

// Migrate brings the schema named service up to date on every shard, each under
// a session lock so that any number of processes may start at once. It returns
// when all reachable shards are done; a shard that cannot be reached is
// migrated in the background as soon as it can, and serves nothing until then.
// An error means a migration that is wrong, never a shard that is away.
//
// migrations holds the goose files (00001_name.sql) at its root or in a folder
// "migrations", as go:embed leaves them.
func Migrate(ctx context.Context, set *Set, service string, migrations fs.FS) error {
	if inner, err := fs.Sub(migrations, "migrations"); err == nil {
		if _, err := fs.Stat(inner, "."); err == nil {
			migrations = inner
		}
	}
	if !schemaPattern.MatchString(service) {
		return fmt.Errorf("shard: %q cannot name a schema", service)
	}
	errs := make([]error, len(set.order))
	var group sync.WaitGroup
	for i, n := range set.order {
		n.pending.Add(1)
		group.Go(func() { errs[i] = set.migrateOrLater(ctx, n, service, migrations) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// migrateOrLater migrates one shard now, or leaves it to the background when it
// is away.
func (s *Set) migrateOrLater(ctx context.Context, n *node, service string, migrations fs.FS) error {
	err := s.migrate(ctx, n, service, migrations)
	if err == nil {
		n.pending.Add(-1)
		return nil
	}
	if diagnose(err, patience) != down || ctx.Err() != nil {
		return fmt.Errorf("migrate %s on shard %s: %w", service, n.id, err)
	}
	s.opts.Log.Warn("shard away, will migrate later", "shard", n.id, "service", service, "error", err)
	s.background.Go(func() { s.migrateLater(n, service, migrations) })
	return nil
}

func (s *Set) migrateLater(n *node, service string, migrations fs.FS) {
	ticker := time.NewTicker(migrateRetry)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		err := s.migrate(s.ctx, n, service, migrations)
		if err == nil {
			n.pending.Add(-1)
			s.opts.Log.Info("shard migrated", "shard", n.id, "service", service)
			return
		}
		if diagnose(err, patience) != down {
			// Keeps trying all the same: the shard serves nothing until
			// somebody mends it, and then it recovers alone.
			s.opts.Log.Error("migration fails", "shard", n.id, "service", service, "error", err)
		}
	}
}

// migrate runs this package's own migrations and then the service's, and claims
// the shard's regions.
func (s *Set) migrate(ctx context.Context, n *node, service string, migrations fs.FS) error {
	// Past the pool: a migration may take longer than any query is allowed to.
	config := n.pool.Config().ConnConfig
	for _, limit := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
		delete(config.RuntimeParams, limit)
	}
	db := stdlib.OpenDB(*config)
	// What was migrated is committed by then, whatever closing has to say.
	defer func() { _ = db.Close() }()
	if err := up(ctx, db, "shard", mustSub(ownMigrations)); err != nil {
		return err
	}
	if err := s.claimRegions(ctx, n); err != nil {
		return err
	}
	return up(ctx, db, service, migrations)
}

// mustSub opens the folder of an embedded file system that go:embed guarantees
// to exist.
func mustSub(embedded embed.FS) fs.FS {
	sub, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err)
	}
	return sub
}

// up creates the schema and applies what is pending in it.
func up(ctx context.Context, db *sql.DB, schema string, migrations fs.FS) error {
	lock := sessionLock(schema)
	if err := createSchema(ctx, db, schema, lock); err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations,
		goose.WithTableName(schema+".goose_version"),
		goose.WithSessionLocker(lock),
		goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// createSchema makes the schema under the lock: "if not exists" alone still
// fails for one of two at once.
func createSchema(ctx context.Context, db *sql.DB, schema string, lock sessionLock) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	// After a commit it does nothing, and after an error that error is the one
	// to report.
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock($1)`, lock.key()); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `create schema if not exists "`+schema+`"`); err != nil {
		return err
	}
	return tx.Commit()
}

// sessionLock serializes the migrations of one schema. Goose's own lock polls
// in whole seconds, which a fleet of services starting together would spend
// waiting; and a blocking lock would hold a snapshot that an index built
// concurrently waits for.
type sessionLock string

const lockPoll = 20 * time.Millisecond

func (l sessionLock) key() int64 {
	hash := fnv.New64a()
	hash.Write([]byte("tiffin migrate " + string(l)))
	return int64(hash.Sum64())
}

// SessionLock takes the lock on the connection goose migrates with.
func (l sessionLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for {
		var locked bool
		err := conn.QueryRowContext(ctx, `select pg_try_advisory_lock($1)`, l.key()).Scan(&locked)
		if err != nil || locked {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// SessionUnlock gives the lock back.
func (l sessionLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `select pg_advisory_unlock($1)`, l.key())
	return err
}
