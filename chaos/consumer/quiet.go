package consumer

import (
	"context"
	"encoding/json"
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
	for still := 0; still < 4; {
		unsent, err := unsent(ctx, shards)
		var status bridge.Status
		if err == nil {
			status, err = ask(ops)
		}
		if err == nil && unsent == 0 && status.Connected && status.Lag == 0 {
			still++
		} else {
			still = 0
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not quiet within %s: %d rows unsent, bridge %+v: %w", quietTimeout, unsent, status, err)
		case <-tick.C:
		}
	}
	return nil
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
