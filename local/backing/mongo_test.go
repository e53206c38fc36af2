package backing_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tiffin/local/backing"
	"tiffin/local/process"
	"tiffin/local/testenv/holder"
)

// ferret starts a FerretDB on a cluster.
func (b *bench) ferret(t *testing.T, postgres backing.Server) (backing.Server, *process.Process) {
	t.Helper()
	require.NoError(t, holder.BuildFerret(t.Context()))
	s, err := backing.FerretDB(backing.FerretDBConfig{Name: "ferretdb", Port: b.port(t), PostgresURL: postgres.URL, Database: "restaurants"})
	require.NoError(t, err)
	p, err := backing.Start(t.Context(), s, b.launcher)
	require.NoError(t, err)
	return s, p
}

// TestDocumentsAreFoundByAnIndex: whatever their number, FerretDB reads the one that is asked for.
func TestDocumentsAreFoundByAnIndex(t *testing.T) {
	t.Parallel()
	const documents, finds = 500, 100
	b := setup(t)
	postgres := b.postgres(t, b.folder("pg"))
	b.keep(t, postgres).awaitReady(t)
	s, ferret := b.ferret(t, postgres)
	client, err := mongo.Connect(options.Client().ApplyURI(s.URL))
	require.NoError(t, err)
	collection := client.Database("restaurants").Collection("menus")
	ids := make([]bson.ObjectID, documents)
	for i := range ids {
		ids[i] = bson.NewObjectID()
		_, err := collection.InsertOne(t.Context(), bson.D{{Key: "_id", Value: ids[i]}, {Key: "n", Value: i}})
		require.NoError(t, err)
	}
	require.NoError(t, query(t.Context(), postgres.URL, `ANALYZE`)) // as autovacuum does
	for i := range finds {
		var found struct{ N int }
		require.NoError(t, collection.FindOne(t.Context(), bson.D{{Key: "_id", Value: ids[i*documents/finds]}}).Decode(&found))
		require.Equal(t, i*documents/finds, found.N)
	}
	require.NoError(t, client.Disconnect(t.Context()))
	ferret.Stop()

	// Sessions tell what they did at their end.
	conn, err := pgx.Connect(t.Context(), postgres.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	require.Eventually(t, func() bool {
		return count(t, conn, `SELECT idx_scan FROM pg_stat_user_indexes WHERE relname LIKE 'menus%' AND indexrelid IN
			(SELECT c.oid FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE amname = 'gin')`) >= finds
	}, patience, tick)
	require.Less(t, count(t, conn, `SELECT seq_scan FROM pg_stat_user_tables WHERE relname LIKE 'menus%'`), finds/2)
}

// TestOlderCollectionsAreIndexedOnce: those of a home from before, and again at every start.
func TestOlderCollectionsAreIndexedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	postgres := b.postgres(t, b.folder("pg"))
	b.keep(t, postgres).awaitReady(t)
	require.NoError(t, query(t.Context(), postgres.URL, `CREATE SCHEMA restaurants CREATE TABLE older (_jsonb jsonb)`))
	conn, err := pgx.Connect(t.Context(), postgres.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	for start := range 2 {
		_, ferret := b.ferret(t, postgres)
		ferret.Stop()
		require.Equal(t, 1, count(t, conn, `SELECT count(*) FROM pg_indexes WHERE tablename = 'older' AND indexdef LIKE '%USING gin%'`), "start %d", start)
	}
}

// count asks for one number.
func count(t *testing.T, conn *pgx.Conn, sql string) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, conn.QueryRow(ctx, sql).Scan(&n), sql)
	return n
}
