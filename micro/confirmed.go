package micro

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Confirmed is up to where a durable consumer needs nothing of its stream any more, given what the server said of it and
// the stream's last sequence number from before that was asked.
//
// Its acknowledgement floor stands at the last message it was given, which may lie far behind when it filters; with
// nothing left to do, it is done with all that the stream held. That it has nothing left is looked up and not only
// believed: for a moment after a consumer is made or moves to another server, its counts are zero because nobody has
// counted yet.
func Confirmed(ctx context.Context, stream jetstream.Stream, info *jetstream.ConsumerInfo, last uint64) (uint64, error) {
	floor, filters := info.AckFloor.Stream, info.Config.FilterSubjects
	if info.Config.FilterSubject != "" {
		filters = []string{info.Config.FilterSubject}
	}
	if floor >= last || info.NumPending > 0 || info.NumAckPending > 0 || len(filters) == 0 {
		return floor, nil
	}
	for _, filter := range filters {
		_, err := stream.GetMsg(ctx, floor+1, jetstream.WithGetMsgSubject(filter))
		if err == nil {
			return floor, nil
		}
		if !errors.Is(err, jetstream.ErrMsgNotFound) {
			return 0, fmt.Errorf("what waits for %s: %w", info.Name, err)
		}
	}
	return last, nil
}
