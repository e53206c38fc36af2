package ordertx

import (
	"context"
	"embed"
	"fmt"

	"tiffin/shard"
	"tiffin/shard/outbox"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schemas that a change of an order writes to up to date on every shard that can be reached.
func Migrate(ctx context.Context, set *shard.Set) error {
	if err := shard.Migrate(ctx, set, "outbox", outbox.Migrations); err != nil {
		return fmt.Errorf("schema outbox: %w", err)
	}
	if err := shard.Migrate(ctx, set, "orders", migrations); err != nil {
		return fmt.Errorf("schema orders: %w", err)
	}
	return nil
}
