package server

import (
	"context"

	"tiffin/services/delivery"
	"tiffin/shard"
)

// wakes holds one bell a region. A bell that has rung and was not yet heard does not ring twice: one look finds
// everything.
type wakes map[shard.Region]chan struct{}

func newWakes(regions []shard.Region) wakes {
	w := make(wakes, len(regions))
	for _, region := range regions {
		w[region] = make(chan struct{}, 1)
	}
	return w
}

// wake rings a region's bell. A region that is not configured here has none.
func (w wakes) wake(region shard.Region) {
	select {
	case w[region] <- struct{}{}:
	default:
	}
}

// wake is how the order service says at once what its events say later.
func (s *Server) wake(ctx context.Context, req delivery.WakeRequest) (delivery.WakeResponse, error) {
	err := internalOnly(ctx)
	if err == nil {
		s.wakes.wake(shard.Region(req.Region))
	}
	return delivery.WakeResponse{}, err
}
