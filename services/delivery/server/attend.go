package server

import (
	"context"
	"errors"
	"time"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/shard"
)

// shortPause is how soon a look may follow one that found nobody free: each new order would have one made for nothing.
const shortPause = 10 * time.Millisecond

// attend looks after the orders and riders of one region until ctx ends: at once when something happened that can
// change who is offered what, and every Poll besides, which is what everything relies on.
func (s *Server) attend(ctx context.Context, region shard.Region) error {
	ticker := time.NewTicker(s.cfg.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			s.try(ctx, region, s.store.metrics.silence, "silent riders not noticed", s.store.silence)
			s.try(ctx, region, s.store.metrics.end, "ended offers postponed", s.endOverdue)
			s.try(ctx, region, s.store.metrics.measure, "waiting orders not counted", s.store.countWaiting)
		case <-s.wakes[region]:
		}
		short := false
		s.try(ctx, region, s.store.metrics.dispatch, "dispatch postponed", func(ctx context.Context, region shard.Region) (err error) {
			short, err = s.offerWaiting(ctx, region)
			return err
		})
		if short {
			select {
			case <-ctx.Done():
			case <-time.After(shortPause):
			}
		}
	}
}

// try runs one step. What fails is tried again by the next look.
func (s *Server) try(ctx context.Context, region shard.Region, loop micro.Loop, failure string,
	step func(context.Context, shard.Region) error) {
	err := loop.Round(ctx, func() error { return step(ctx, region) })
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, failure, "region", region, "error", err)
	}
}

// offerWaiting offers waiting orders until nobody is left to offer them to. short says that orders wait and no rider at
// all is free.
func (s *Server) offerWaiting(ctx context.Context, region shard.Region) (short bool, err error) {
	for more := true; more && ctx.Err() == nil; {
		more, err = s.store.dispatch(ctx, region)
		if errors.Is(err, errNobodyFree) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// endOverdue ends the offers of a region whose time is over.
func (s *Server) endOverdue(ctx context.Context, region shard.Region) error {
	overdue, err := s.store.overdue(ctx, region)
	if err != nil {
		return err
	}
	for _, o := range overdue {
		_, err := s.store.endOffer(ctx, o.order, o.partner, delivery.Expired)
		if err != nil && !errors.Is(err, errOfferGone) { // gone: another instance, or the rider, was first
			return err
		}
	}
	return nil
}
