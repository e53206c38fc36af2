package server

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"tiffin/services/delivery"
	"tiffin/wire"
)

const (
	feedInterval = time.Second
	feedTimeout  = 2 * time.Second
)

// feed tells dispatch where riders are: the newest position of each, once a second, so that movement costs PostgreSQL
// one write per batch instead of one per fix.
type feed struct {
	riders *delivery.Client
	log    *slog.Logger

	mu     sync.Mutex
	latest map[string]delivery.Position // by partner
}

func newFeed(riders *delivery.Client, log *slog.Logger) *feed {
	return &feed{riders: riders, log: log, latest: map[string]delivery.Position{}}
}

// offer notes an accepted fix.
func (f *feed) offer(x *fix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keep(delivery.Position{
		PartnerID: x.partner, Latitude: x.point.Latitude, Longitude: x.point.Longitude, At: wire.At(x.at),
	})
}

// keep notes a position unless a newer one of the rider is noted already. f.mu is held.
func (f *feed) keep(p delivery.Position) {
	if old, ok := f.latest[p.PartnerID]; !ok || p.At.After(old.At.Time) {
		f.latest[p.PartnerID] = p
	}
}

// Run sends once a second until ctx ends, and once more then.
func (f *feed) Run(ctx context.Context) error {
	tick := time.NewTicker(feedInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			f.flush(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
			f.flush(ctx)
		}
	}
}

// flush sends what was noted. What could not be sent is noted again unless something newer came meanwhile: dispatch
// then works with older positions for a while, which is better than with none.
func (f *feed) flush(ctx context.Context) {
	f.mu.Lock()
	latest := f.latest
	f.latest = make(map[string]delivery.Position, len(latest))
	f.mu.Unlock()

	batch := make([]delivery.Position, 0, min(len(latest), delivery.MaxPositions))
	for p := range maps.Values(latest) {
		if batch = append(batch, p); len(batch) == delivery.MaxPositions {
			f.send(ctx, batch)
			batch = batch[:0]
		}
	}
	if len(batch) > 0 {
		f.send(ctx, batch)
	}
}

func (f *feed) send(ctx context.Context, batch []delivery.Position) {
	ctx, cancel := context.WithTimeout(ctx, feedTimeout)
	defer cancel()
	_, err := f.riders.Position(asService(ctx), batch)
	if err == nil {
		return
	}
	f.log.WarnContext(ctx, "positions did not reach dispatch, trying again", "positions", len(batch), "error", err)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range batch {
		f.keep(p)
	}
}
