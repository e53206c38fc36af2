package outbox

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Migrations are the goose migrations of schema "outbox", for shard.Migrate.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Event is something that happened, to be told to the rest of the fleet.
type Event struct {
	ID      string            // uuid; the message id in JetStream and RabbitMQ, by which consumers recognise a repeat
	Type    string            // such as "order.created"
	Region  string            // home region of Key
	Key     string            // order id: events of one key are published in the order of their transactions
	Payload any               // encoded as JSON
	Headers map[string]string // travels as message headers: request id, traceparent
}

// Append writes the event in the caller's transaction and wakes the relay at commit. The caller holds a row
// lock on what Key names: that is what gives the events of one key their order.
func Append(ctx context.Context, tx pgx.Tx, event Event) error {
	payload, err := json.Marshal(event.Payload)
	if err != nil {
		return fmt.Errorf("outbox: encode %s: %w", event.Type, err)
	}
	_, err = tx.Exec(ctx, `insert into outbox.events (id, type, region, key, payload, headers)
		values ($1, $2, $3, $4, $5, $6)`, event.ID, event.Type, event.Region, event.Key, payload, event.Headers)
	return err
}
