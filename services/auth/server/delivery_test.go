package server

import (
	"testing"

	"tiffin/shard"
)

// migrateDelivery makes the tables of the delivery service, which owns the partner records.
func migrateDelivery(t testing.TB, set *shard.Set) {
	t.Helper()
	t.Fatal("not wired yet")
}
