package outbox

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tiffin/micro"
	"tiffin/wire"
)

// Migrations are the goose migrations of schema "outbox", for shard.Migrate.
//
//go:embed migrations/*.sql
var Migrations embed.FS

const (
	// maxPayload and maxHeaders keep an event below what NATS takes in one
	// message (1 MB).
	maxPayload = 512 << 10
	maxHeaders = 16 << 10
)

// headerName is what a header may be called. Those of NATS and of the event's
// own fields are the publisher's.
var headerName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// Event is something that happened, to be told to the rest of the fleet.
type Event struct {
	// ID is a uuid: the message id in JetStream and RabbitMQ, by which consumers
	// recognise a repeat. Empty: a new one.
	ID      string
	Type    string            // such as "order.created"
	Region  string            // home region of Key
	Key     string            // order id: events of one key are published in the order of their transactions
	Payload any               // encoded as JSON, at most 512 KiB; json.RawMessage is taken as it is
	Headers map[string]string // travels as message headers: request id, traceparent
}

// appendSQL writes the rows, and wakes the relay at commit if it sleeps. While
// this transaction holds its share of the sleep lock the relay cannot fall
// asleep, so there is no moment at which an event is neither seen by a relay
// that polls nor announced to one that waits.
const appendSQL = `
with event as (
    insert into outbox.events (id, type, region, key, payload, headers)
    select * from unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]::json[], $6::text[]::jsonb[])
)
select case when not pg_try_advisory_xact_lock_shared($7, $8) then pg_notify('outbox', '') end is null`

// Append writes the event in the caller's transaction and wakes the relay at
// commit. The caller holds a row lock on what Key names: that is what gives the
// events of one key their order.
//
// An event that could not be published later (a type that is no subject, a
// payload that is no JSON or too large) fails here, with the transaction,
// instead of standing in the way of others.
func Append(ctx context.Context, tx pgx.Tx, event Event) error {
	args, err := arguments(event)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, appendSQL, args...); err != nil {
		return fmt.Errorf("outbox: append %s: %w", event.Type, err)
	}
	return nil
}

// Queue is Append as part of a batch, for a transaction that writes all its
// rows in one round trip. Events that could not be published later are refused
// here, before anything is sent. Several events cost little more than one, and
// are published in their order.
func Queue(batch *pgx.Batch, events ...Event) error {
	args, err := arguments(events...)
	if err != nil {
		return err
	}
	batch.Queue(appendSQL, args...)
	return nil
}

// arguments checks events and gives the parameters of appendSQL.
func arguments(events ...Event) ([]any, error) {
	n := len(events)
	all := make([]string, 6*n) // the columns of appendSQL, one after the other
	for i, event := range events {
		id, payload, err := check(event)
		if err != nil {
			return nil, fmt.Errorf("outbox: event %q: %w", event.Type, err)
		}
		headers, err := wire.Encode(event.Headers) // {} for none
		if err != nil {
			return nil, fmt.Errorf("outbox: event %q: headers: %w", event.Type, err)
		}
		for column, value := range [...]string{id.String(), event.Type, event.Region, event.Key, string(payload), string(headers)} {
			all[column*n+i] = value
		}
	}
	return []any{all[:n], all[n : 2*n], all[2*n : 3*n], all[3*n : 4*n], all[4*n : 5*n], all[5*n:], sleepLock.class, sleepLock.object}, nil
}

func check(event Event) (uuid.UUID, json.RawMessage, error) {
	id, err := uuid.NewV7()
	if event.ID != "" {
		id, err = uuid.Parse(event.ID)
	}
	switch {
	case err != nil:
		return id, nil, fmt.Errorf("id: %w", err)
	case micro.EventSubject(event.Type, event.Region) == "":
		return id, nil, fmt.Errorf("type and region %q make no subject", event.Region)
	case event.Key == "" || !oneLine(event.Key):
		return id, nil, errors.New("key is empty or not one line")
	}
	if err := checkHeaders(event.Headers); err != nil {
		return id, nil, err
	}
	payload, raw := event.Payload.(json.RawMessage)
	if !raw {
		if payload, err = wire.Encode(event.Payload); err != nil {
			return id, nil, fmt.Errorf("payload: %w", err)
		}
	}
	if len(payload) > maxPayload {
		return id, nil, fmt.Errorf("payload has %d bytes, more than %d", len(payload), maxPayload)
	}
	return id, payload, nil
}

func checkHeaders(headers map[string]string) error {
	size := 0
	for name, value := range headers {
		reserved := strings.HasPrefix(name, "Nats-") || strings.HasPrefix(name, "ce-")
		if reserved || !headerName.MatchString(name) || !oneLine(value) {
			return fmt.Errorf("header %q cannot travel", name)
		}
		size += len(name) + len(value)
	}
	if size > maxHeaders {
		return fmt.Errorf("headers have %d bytes, more than %d", size, maxHeaders)
	}
	return nil
}

// oneLine tells whether text can stand in a header.
func oneLine(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}
