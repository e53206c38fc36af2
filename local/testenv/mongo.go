package testenv

import (
	"context"
	"errors"
	"testing"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tiffin/local/testenv/holder"
)

// Mongo returns the URL of a fresh database on a MongoDB-protocol server. It
// is dropped when the test ends.
func Mongo(t testing.TB) string {
	t.Helper()
	name := freshName()
	u := withPath(t, join(t, holder.Mongo)[holder.URL], name)
	cleanup(t, "drop database", func(ctx context.Context) error {
		client, err := mongo.Connect(options.Client().ApplyURI(u))
		if err != nil {
			return err
		}
		return errors.Join(client.Database(name).Drop(ctx), client.Disconnect(ctx))
	})
	return u
}
