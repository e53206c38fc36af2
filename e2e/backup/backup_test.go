// Package backup_test does what docs/backup-and-restore.md says: a fleet is
// backed up while it runs, is lost with everything but that backup and its
// secrets, and comes back on other servers. The commands are read out of the
// document, so that the two cannot drift apart.
package backup_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/e2e/product"
	"tiffin/local/testenv"
	"tiffin/local/testenv/holder"
)

// patience covers what another process does in its own time.
const patience = 30 * time.Second

// RabbitMQ is away from before the first order until after the loss, so that
// every event has yet to reach its consumer when the stream is gone with the
// rest.
func TestAFleetComesBackFromItsBackup(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	require.NoError(t, holder.BuildFerret(t.Context()))
	binary, err := product.Build(root, s.bin, true)
	require.NoError(t, err)
	began := time.Now()
	broker := testenv.OwnRabbitMQ(t)
	lost := s.start(binary, map[string]string{"RABBITMQ_URL": broker.URL})
	broker.Kill()
	events := eventsOf(t, lost)
	stories := live(t, lost)
	ids := idsOf(t, events, stories)

	dir := filepath.Join(t.TempDir(), "kept", "backup")
	s.follow("Making a backup", map[string]string{"TIFFIN_HOME": lost.Home, "BACKUP": dir})
	require.NoError(t, lost.Stop(), lost.Output())
	require.NoError(t, os.RemoveAll(lost.Home))

	servers := emptyServers(t)
	s.follow("Restoring all of it", vars(servers, "BACKUP", dir), "deploy/restore.sh")
	broker.Start()
	consumer := consume(t, broker.URL)
	maps.Copy(servers, map[string]string{
		"MONGODB_URL": ferret(t, servers), "RABBITMQ_URL": broker.URL, "POSTGRES_POOL_SIZE": "4",
		"JWT_SECRET": lost.Env["JWT_SECRET"], "DATA_KEYS": lost.Env["DATA_KEYS"],
	})
	found := s.start(binary, servers)

	requireOnce(t, consumer, ids)
	for _, story := range stories {
		story.requireTold(t, found)
	}
	environment := vars(servers, "TIFFIN_HOME", found.Home, "SINCE", began.UTC().Format(time.RFC3339))
	s.requireAccounted(environment, len(ids))
	require.Contains(t, s.follow("Restoring all of it", environment, "tiffin bridge reconcile"), "  0 not sent yet, 0 confirmed before the stream")
	require.Contains(t, s.follow("Restoring all of it", environment, "tiffin bridge replay"), "3 events sent again and confirmed")
	requireOnce(t, consumer, ids)
	for i, story := range stories {
		story.requireLife(t, found, stories[(i+1)%len(stories)])
	}
	s.requireShardBack(vars(servers, "BACKUP", dir), stories[0], stories[1:])
	stories[0].requireTold(t, found)
	stories[0].requireLife(t, found, stories[1])
	require.NoError(t, found.Stop(), found.Output())
}

// A backup that ends early does not pass for one, and none is written over
// another.
func TestHalfABackupIsNone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := filepath.Join(t.TempDir(), "backup")
	environment := map[string]string{
		"POSTGRES_SHARD_A_URL": testenv.Postgres(t), "POSTGRES_SHARD_B_URL": "postgresql://nobody@127.0.0.1:1/none",
		"FERRETDB_POSTGRESQL_URL": testenv.Postgres(t),
	}
	_, err := s.run(`deploy/backup.sh "$BACKUP"`, vars(environment, "BACKUP", dir))
	require.Error(t, err, "shard b is away")
	require.FileExists(t, filepath.Join(dir, "shard_A.dump"))
	out, err := s.run(`deploy/restore.sh "$BACKUP"`, vars(environment, "BACKUP", dir))
	require.Error(t, err)
	require.Contains(t, out, "no complete backup")
	delete(environment, "POSTGRES_SHARD_B_URL")
	out, err = s.run(`deploy/backup.sh "$BACKUP"`, vars(environment, "BACKUP", dir))
	require.Error(t, err)
	require.Contains(t, out, "exists")
}

// start runs a fleet in a folder of its own.
func (s *site) start(binary string, env map[string]string) *product.Product {
	s.t.Helper()
	env = vars(env, "TIFFIN_DEMO", "off", "BCRYPT_COST", "4", "GORACE", "halt_on_error=1", "RATE_LIMIT_GENERAL", "0",
		"RATE_LIMIT_AUTH", "0", "RATE_LIMIT_ORDERS", "0")
	p, err := product.Start(product.Options{Binary: binary, Home: filepath.Join(s.t.TempDir(), "home"), Env: env})
	require.NoError(s.t, err)
	// A second Stop of one that has ended does nothing.
	s.t.Cleanup(func() { _ = p.Stop() })
	return p
}

// requireAccounted waits until every event of the restored outboxes is in the
// new stream and those for RabbitMQ are confirmed: nothing waits, nothing is
// missing.
func (s *site) requireAccounted(env map[string]string, relayed int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		out, err := s.run("tiffin bridge reconcile --json", env)
		var report struct{ Rows, Waiting, Stream, Relayed, Lag, Others int }
		return err == nil && json.Unmarshal([]byte(out), &report) == nil &&
			report.Relayed == relayed && report.Waiting == 0 && report.Lag == 0 &&
			report.Rows == report.Stream && report.Others == report.Rows-relayed
	}, patience, 200*time.Millisecond)
}

// emptyServers are a database per shard and one for the documents, by the
// variables that name them.
func emptyServers(t *testing.T) map[string]string {
	t.Helper()
	shards := testenv.ShardURLs(t)
	return map[string]string{
		"POSTGRES_SHARD_A_URL": shards["a"], "POSTGRES_SHARD_B_URL": shards["b"], "POSTGRES_SHARD_C_URL": shards["c"],
		"FERRETDB_POSTGRESQL_URL": testenv.Postgres(t),
	}
}
