package ops

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"tiffin/health"
	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/wire"
)

// How fresh an overview is and how long one may take to gather.
const (
	// overviewAge is how old figures may be: counting is the dearest read there
	// is, and many may have the page open.
	overviewAge = time.Second
	// aheadAge is the age at which the next are gathered while these still serve:
	// the rest of overviewAge is enough for a roll call, so that nobody waits for
	// one while others are looking.
	aheadAge        = overviewAge * 3 / 4
	overviewTimeout = 2 * time.Second
)

// Overview is what the operations page shows. A part whose source did not
// answer is null and named in Unavailable.
type Overview struct {
	At          wire.Time          `json:"at"`
	Readiness   health.Report      `json:"readiness"`
	Services    []Service          `json:"services"`
	Shards      []Shard            `json:"shards"`
	Bridge      *Bridge            `json:"bridge"`
	Orders      *order.Overview    `json:"orders"`
	Riders      *delivery.Overview `json:"riders"`
	Sockets     *Sockets           `json:"sockets"`
	Unavailable []string           `json:"unavailable"` // services, bridge, orders, riders, sockets
}

// Shard is a PostgreSQL cluster as the services see it.
type Shard struct {
	ID      string   `json:"id"`
	Regions []string `json:"regions"`
	Healthy bool     `json:"healthy"`
}

// Bridge is the state of the way to RabbitMQ, the answer of bridge.status.
type Bridge struct {
	Connected     bool    `json:"connected"`
	Relayed       int64   `json:"relayed"`       // events since the bridge started
	Lag           int64   `json:"lag"`           // events waiting
	OldestSeconds float64 `json:"oldestSeconds"` // age of the oldest of them
	DeadLettered  int64   `json:"deadLettered"`
}

// Board gathers overviews. Make it with NewBoard, give its Run a goroutine.
type Board struct {
	cfg       Config
	readiness *health.Watch
	census    *Census
	shards    []Shard
	clock     func() time.Time
	orders    *order.Client
	delivery  *delivery.Client

	ahead  chan micro.Actor // for whom Run is to gather
	flight singleflight.Group
	mu     sync.Mutex
	last   Overview
}

// NewBoard makes a board over the fleet that readiness watches and the census
// counts. The shards' Healthy is filled in later.
func NewBoard(cfg Config, readiness *health.Watch, census *Census, shards []Shard, clock func() time.Time) *Board {
	return &Board{
		cfg: cfg, readiness: readiness, census: census, shards: shards, clock: clock,
		orders: order.NewClient(cfg.Client), delivery: delivery.NewClient(cfg.Client),
		ahead: make(chan micro.Actor, 1),
	}
}

// Run gathers ahead of those who will ask until ctx ends, and returns nil.
func (b *Board) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case actor := <-b.ahead:
			// The request has been answered. What is left of it is whom the
			// services authorise.
			b.refresh(micro.WithActor(ctx, actor), aheadAge)
		}
	}
}

// Overview gives figures at most a second old. The context's actor must be an
// administrator.
func (b *Board) Overview(ctx context.Context) (Overview, error) {
	o, age := b.newest()
	if age >= overviewAge {
		return b.refresh(ctx, overviewAge), nil
	}
	if age >= aheadAge {
		select {
		case b.ahead <- micro.ActorFrom(ctx):
		default: // another has asked for them already
		}
	}
	return o, nil
}

// newest gives the last figures and their age: before the first ones centuries.
func (b *Board) newest() (Overview, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last, b.clock().Sub(b.last.At.Time)
}

// refresh gathers figures, unless there are some below that age by now: one
// gathering may end while another is asked for. Who comes meanwhile shares it.
func (b *Board) refresh(ctx context.Context, below time.Duration) Overview {
	v, _, _ := b.flight.Do("", func() (any, error) { // cannot fail
		if o, age := b.newest(); age < below {
			return o, nil
		}
		o := b.gather(ctx)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.last = o
		return o, nil
	})
	return v.(Overview)
}

// gather asks all sources at once and waits for the slowest, at most
// overviewTimeout.
func (b *Board) gather(ctx context.Context) Overview {
	ctx, cancel := context.WithTimeout(ctx, overviewTimeout)
	defer cancel()
	o := Overview{At: wire.At(b.clock()), Services: []Service{}, Unavailable: []string{}}
	o.Readiness, _ = b.readiness.Ready()
	o.Shards = b.shardStates(o.Readiness)

	var mu sync.Mutex
	var wg sync.WaitGroup
	part := func(name string, load func() error) {
		wg.Go(func() {
			if err := load(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				o.Unavailable = append(o.Unavailable, name)
			}
		})
	}
	part("services", func() (err error) { o.Services, err = Discover(ctx, b.cfg.Conn); return err })
	part("bridge", func() (err error) {
		o.Bridge, err = loaded(micro.CallIdempotent[struct{}, Bridge](ctx, b.cfg.Client, "bridge.status", struct{}{}))
		return err
	})
	part("orders", func() (err error) { o.Orders, err = loaded(b.orders.Overview(ctx)); return err })
	part("riders", func() (err error) { o.Riders, err = loaded(b.delivery.Overview(ctx)); return err })
	wg.Wait()
	if o.Sockets = b.census.Sockets(); o.Sockets == nil {
		o.Unavailable = append(o.Unavailable, "sockets")
	}
	slices.Sort(o.Unavailable)
	return o
}

// loaded makes an answer optional.
func loaded[T any](v T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// shardStates combines the configured shards with what services say about them;
// a shard nobody reports is unhealthy.
func (b *Board) shardStates(report health.Report) []Shard {
	states := slices.Clone(b.shards)
	for i, s := range states {
		states[i].Healthy = report.Checks["postgres."+s.ID].Status == health.StatusOK
	}
	return states
}
