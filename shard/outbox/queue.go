package outbox

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Queue is Append as part of a batch, for a transaction that writes all its rows in one round trip. An event that could
// not be published later is refused here, before anything is sent.
func Queue(b *pgx.Batch, event Event) error {
	id, payload, err := check(event)
	if err != nil {
		return fmt.Errorf("outbox: event %q: %w", event.Type, err)
	}
	headers := event.Headers
	if headers == nil {
		headers = map[string]string{}
	}
	b.Queue(appendSQL, id, event.Type, event.Region, event.Key, payload, headers, sleepLock.class, sleepLock.object)
	return nil
}
