package outbox

import (
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Queue is Append as part of a batch, for a transaction that writes all its rows in one round trip.
func Queue(b *pgx.Batch, event Event) error {
	payload, err := json.Marshal(event.Payload)
	if err != nil {
		return fmt.Errorf("outbox: encode %s: %w", event.Type, err)
	}
	b.Queue(`insert into outbox.events (id, type, region, key, payload, headers)
		values ($1, $2, $3, $4, $5, $6)`, event.ID, event.Type, event.Region, event.Key, payload, event.Headers)
	return nil
}
