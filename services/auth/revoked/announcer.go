package revoked

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// announceTimeout bounds what signing out waits for Redis: the session is over either way.
	announceTimeout = 500 * time.Millisecond
	// repairEvery is how often the list is compared with the record, and so how long a sign-out that Redis missed stays
	// unannounced once it is back.
	repairEvery = 5 * time.Second
	// overlap is how far an ordinary round looks back; it covers several rounds.
	overlap = time.Minute
)

// Family is a session that was ended.
type Family struct {
	ID      string
	Revoked time.Time
}

// Announcer writes the list.
type Announcer struct {
	redis *redis.Client
	ttl   time.Duration // life of an access token
	log   *slog.Logger
	clock func() time.Time
	// record gives the families revoked since then, from PostgreSQL.
	record func(ctx context.Context, since time.Time) ([]Family, error)
}

// NewAnnouncer makes the announcer of tokens that live for ttl. Without a client it announces nothing.
func NewAnnouncer(client *redis.Client, ttl time.Duration, log *slog.Logger, clock func() time.Time,
	record func(context.Context, time.Time) ([]Family, error),
) *Announcer {
	return &Announcer{redis: client, ttl: ttl, log: log, clock: clock, record: record}
}

// Announce tells every edge. When it cannot, Run does so later.
func (a *Announcer) Announce(ctx context.Context, family string) {
	if a.redis == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTimeout)
	defer cancel()
	if err := a.write(ctx, []Family{{ID: family, Revoked: a.clock()}}); err != nil {
		a.log.WarnContext(ctx, "sign-out is announced later", "family", family, "error", err)
	}
}

// write adds families and publishes them, in one round trip.
func (a *Announcer) write(ctx context.Context, families []Family) error {
	if len(families) == 0 {
		return nil
	}
	pipe := a.redis.Pipeline()
	pipe.ZRemRangeByScore(ctx, key, "-inf", "("+strconv.FormatInt(a.clock().Unix(), 10))
	for _, f := range families {
		until := f.Revoked.Add(a.ttl).Unix() + 1 // tokens expire on whole seconds
		pipe.ZAddGT(ctx, key, redis.Z{Score: float64(until), Member: f.ID})
		pipe.Publish(ctx, channel, fmt.Sprintf("%s %d", f.ID, until))
	}
	_, err := pipe.Exec(ctx)
	return err
}

// Run repairs the list until ctx ends and returns nil. A round looks at what was revoked lately; the first one, and one
// that finds the list empty or follows a failure, at everything that still matters.
func (a *Announcer) Run(ctx context.Context) error {
	if a.redis == nil {
		return nil
	}
	tick := time.NewTicker(repairEvery)
	defer tick.Stop()
	for whole := true; ; {
		err := a.repair(ctx, whole)
		if err != nil && ctx.Err() == nil {
			a.log.Debug("list of signed-out sessions left for later", "error", err)
		}
		whole = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *Announcer) repair(ctx context.Context, whole bool) error {
	ctx, cancel := context.WithTimeout(ctx, repairEvery)
	defer cancel()
	known, err := a.redis.ZCard(ctx, key).Result()
	if err != nil {
		return err
	}
	since := a.clock().Add(-overlap)
	if whole || known == 0 {
		since = a.clock().Add(-a.ttl)
	}
	families, err := a.record(ctx, since)
	if err != nil {
		return err
	}
	return a.write(ctx, families)
}
