package revoked

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// key is a sorted set: families by the second at which their last token expires.
	key = "auth:revoked"
	// channel carries "<family> <second>" for each new member.
	channel = "auth:revoked"

	// again is the pause after a lost connection; reload is how often a copy is replaced anyway, which forgets what has
	// expired.
	again  = 250 * time.Millisecond
	reload = 5 * time.Minute
	// silence is after how long without a message the connection is asked whether it lives.
	silence = 3 * time.Second
)

// List is a copy of the list. It is safe for concurrent use; it knows what Add told it and, while Run runs, what Redis
// says.
type List struct {
	redis *redis.Client
	log   *slog.Logger
	clock func() time.Time

	mu    sync.RWMutex
	until map[string]int64 // family → Unix second
}

// NewList makes an empty copy. log and clock may be nil.
func NewList(client *redis.Client, log *slog.Logger, clock func() time.Time) *List {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if clock == nil {
		clock = time.Now
	}
	return &List{redis: client, log: log, clock: clock, until: map[string]int64{}}
}

// Has reports whether the family's tokens are to be refused.
func (l *List) Has(family string) bool {
	l.mu.RLock()
	_, has := l.until[family]
	l.mu.RUnlock()
	return has
}

// Add notes a family whose tokens expire by then. An edge that has just signed somebody out need not wait for the news.
func (l *List) Add(family string, expires time.Time) { l.note(strings.Clone(family), expires.Unix()) }

func (l *List) note(family string, until int64) {
	l.mu.Lock()
	l.until[family] = max(until, l.until[family])
	l.mu.Unlock()
}

// Run keeps the copy up to date until ctx ends, through any absence of Redis, and returns nil.
func (l *List) Run(ctx context.Context) error {
	for {
		err := l.listen(ctx)
		if ctx.Err() != nil {
			return nil
		}
		l.log.Debug("list of signed-out sessions is not followed, connecting again", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(again):
		}
	}
}

// listen follows over one connection. The subscription is confirmed first and the list read after it: what is added in
// between is heard, what was added before is read.
func (l *List) listen(ctx context.Context) error {
	news := l.redis.Subscribe(ctx, channel)
	defer news.Close()
	defer context.AfterFunc(ctx, func() { _ = news.Close() })() // Receive does not watch the context
	if _, err := news.ReceiveTimeout(ctx, silence); err != nil {
		return err
	}
	if err := l.load(ctx); err != nil {
		return err
	}
	for loaded, asked := l.clock(), false; ; {
		message, err := news.ReceiveTimeout(ctx, silence)
		switch m := message.(type) {
		case *redis.Message:
			l.hear(m.Payload)
			asked = false
		case *redis.Pong:
			asked = false
		default:
			if asked || err == nil || ctx.Err() != nil {
				return err
			}
			// Nothing for a while: a question that stays unanswered as well ends the connection.
			asked = true
			if err := news.Ping(ctx); err != nil {
				return err
			}
		}
		if l.clock().Sub(loaded) > reload {
			loaded = l.clock()
			if err := l.load(ctx); err != nil {
				return err
			}
		}
	}
}

// hear notes one piece of news; what cannot be read is nobody's family.
func (l *List) hear(payload string) {
	family, second, _ := strings.Cut(payload, " ")
	if until, err := strconv.ParseInt(second, 10, 64); err == nil {
		l.note(family, until)
	}
}

// load reads the whole list and forgets what has expired.
func (l *List) load(ctx context.Context) error {
	now := l.clock().Unix()
	members, err := l.redis.ZRangeByScoreWithScores(ctx, key, &redis.ZRangeBy{Min: strconv.FormatInt(now, 10), Max: "+inf"}).Result()
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for family, until := range l.until {
		if until < now {
			delete(l.until, family)
		}
	}
	for _, m := range members {
		if family, ok := m.Member.(string); ok {
			l.until[family] = int64(m.Score)
		}
	}
	return nil
}
