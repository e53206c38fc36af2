package deliverytx

import (
	"context"
	"embed"
	"fmt"

	"tiffin/shard"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema "delivery" up to date on every shard that can be reached. Every service that calls this
// package in its transactions runs it first, because the services start in any order.
func Migrate(ctx context.Context, set *shard.Set) error {
	if err := shard.Migrate(ctx, set, "delivery", migrations); err != nil {
		return fmt.Errorf("schema delivery: %w", err)
	}
	return nil
}
