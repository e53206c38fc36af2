package wholefleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"tiffin/local/rig"
	"tiffin/micro"
)

// fill takes the room from a server, and gives what gives it back.
//
// A stream is at its bound; a PostgreSQL has no connection left, and those that
// were open are closed; a Redis is out of memory and may evict nothing; a
// RabbitMQ raises its memory alarm and takes no more publishes.
func (p *plant) fill(ctx context.Context, target string) (empty func(context.Context) error, err error) {
	switch {
	case target == redisServer:
		return p.fillRedis(ctx)
	case target == broker:
		return func(ctx context.Context) error {
			return rig.RabbitControl(ctx, p.servers[broker], "set_vm_memory_high_watermark", "0.6")
		}, rig.RabbitControl(ctx, p.servers[broker], "set_vm_memory_high_watermark", "0")
	case target == documents:
		return fillPostgres(ctx, p.servers[documentsDisk].URL)
	case strings.HasPrefix(target, postgresPrefix):
		return fillPostgres(ctx, p.servers[target].URL)
	default:
		return p.fillStream(ctx)
	}
}

func (p *plant) fillRedis(ctx context.Context) (func(context.Context) error, error) {
	options, err := redis.ParseURL(p.servers[redisServer].URL)
	if err != nil {
		return nil, err
	}
	client := redis.NewClient(options)
	limit := func(ctx context.Context, memory, policy string) error {
		return errors.Join(client.ConfigSet(ctx, "maxmemory-policy", policy).Err(), client.ConfigSet(ctx, "maxmemory", memory).Err())
	}
	return func(ctx context.Context) error {
		return errors.Join(limit(ctx, "256mb", "volatile-ttl"), client.Close())
	}, limit(ctx, "1", "noeviction")
}

// fillPostgres takes every connection there is: those in use are ended, and
// whoever comes first has them.
func fillPostgres(ctx context.Context, url string) (func(context.Context) error, error) {
	boss, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	taken := []*pgx.Conn{boss}
	empty := func(ctx context.Context) error {
		var errs []error
		for _, conn := range taken {
			errs = append(errs, conn.Close(ctx))
		}
		return errors.Join(errs...)
	}
	const mine = "campaign-fill"
	if _, err := boss.Exec(ctx, "set application_name = '"+mine+"'"); err != nil {
		return empty, err
	}
	config := boss.Config().Copy()
	config.RuntimeParams["application_name"] = mine
	// What is ended leaves room that the fleet may take again before us, so once is
	// not enough.
	for range 3 {
		_, err := boss.Exec(ctx, `select pg_terminate_backend(pid) from pg_stat_activity
			where backend_type = 'client backend' and application_name <> $1`, mine)
		if err != nil {
			return empty, err
		}
		for {
			conn, err := pgx.ConnectConfig(ctx, config)
			if err != nil {
				break // that was the last one
			}
			taken = append(taken, conn)
		}
	}
	return empty, nil
}

// fillStream sets the bound of the stream to what it holds.
func (p *plant) fillStream(ctx context.Context) (func(context.Context) error, error) {
	js, err := jetstream.New(p.ops)
	if err != nil {
		return nil, err
	}
	bound := func(ctx context.Context, full bool) error {
		return patiently(ctx, func(ctx context.Context) error {
			stream, err := js.Stream(ctx, micro.StreamEvents)
			if err != nil {
				return err
			}
			config := stream.CachedInfo().Config
			config.MaxMsgs = -1
			if full {
				config.MaxMsgs = int64(stream.CachedInfo().State.Msgs)
			}
			_, err = js.UpdateStream(ctx, config)
			return err
		})
	}
	return func(ctx context.Context) error { return bound(ctx, false) }, bound(ctx, true)
}

// patiently repeats what a cluster that elects a leader may refuse for now.
func patiently(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		try, end := context.WithTimeout(ctx, 5*time.Second)
		err := do(try)
		end()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within 30s: %w", err)
		case <-tick.C:
		}
	}
}
