package outbox

import (
	"context"

	"tiffin/shard"
)

// Drained tells whether every event of a region has been published. A move of
// the region waits for it before the other shard may append, so that events of
// one key are never published by two relays.
func Drained(ctx context.Context, q shard.Querier, region shard.Region) (drained bool, err error) {
	err = q.QueryRow(ctx, `
		select not exists (select from outbox.events where region = $1 and sent_at is null)`, region).Scan(&drained)
	return drained, err
}
