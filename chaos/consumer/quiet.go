package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"tiffin/bridge"
	"tiffin/shard"
)

// quietTimeout is how long everything may take to be delivered once the last
// fault is healed.
const quietTimeout = 90 * time.Second

// AwaitQuiet waits until every row of every outbox is published and the bridge
// has nothing left: several times in a row, since between two looks a relay may
// fill the stream again. ops is a connection of the operator.
func AwaitQuiet(ctx context.Context, shards *shard.Set, ops *nats.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, quietTimeout)
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	seen := errors.New("no look ended in time") // else by the last one that did
	for still := 0; still < 4; {
		if err := look(ctx, shards, ops); err == nil {
			still++
		} else if still = 0; ctx.Err() == nil {
			seen = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not quiet within %s: %w", quietTimeout, seen)
		case <-tick.C:
		}
	}
	return nil
}

// look tells what is still on its way.
func look(ctx context.Context, shards *shard.Set, ops *nats.Conn) error {
	unsent, err := unsent(ctx, shards)
	if err != nil {
		return err
	}
	status, err := ask(ops)
	if err == nil && (unsent > 0 || !status.Connected || status.Lag > 0) {
		err = fmt.Errorf("%d rows unsent, bridge %+v", unsent, status)
	}
	return err
}

// unsent counts the rows that no relay has published.
func unsent(ctx context.Context, shards *shard.Set) (n int, err error) {
	for _, db := range shards.All() {
		var of int
		if err := db.Pool().QueryRow(ctx, `select count(*) from outbox.events where sent_at is null`).Scan(&of); err != nil {
			return 0, err
		}
		n += of
	}
	return n, nil
}

// ask asks one of the bridges.
func ask(ops *nats.Conn) (out bridge.Status, err error) {
	answer, err := ops.RequestMsg(nats.NewMsg("bridge.status"), 2*time.Second)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer.Data, &out)
}
