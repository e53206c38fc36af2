package server

import (
	"context"
	"time"

	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/shard"
)

// bellTimeout bounds how long one ring waits for dispatch to hear it.
const bellTimeout = 250 * time.Millisecond

// dispatcher is whom the bells wake.
type dispatcher interface {
	Wake(ctx context.Context, region shard.Region) error
}

// bells tell dispatch that a region has a new order, or a rider who was freed, as soon as that is committed. The event
// says the same, but only when the relay has read it, JetStream has synced it and the consumer has got it: of the time
// an order waits for its offer that was more than half. Nothing depends on a ring: who does not hear it hears the event.
type bells struct {
	dispatch dispatcher
	rung     map[shard.Region]chan struct{}
}

func newBells(dispatch dispatcher, regions []shard.Region) *bells {
	b := &bells{dispatch: dispatch, rung: make(map[shard.Region]chan struct{}, len(regions))}
	for _, region := range regions {
		b.rung[region] = make(chan struct{}, 1)
	}
	return b
}

// ring never waits. Bells that were rung while dispatch is being told of one are one: a look finds everything.
func (b *bells) ring(region string) {
	select {
	case b.rung[shard.Region(region)] <- struct{}{}:
	default:
	}
}

// carry takes the rings of one region to dispatch until ctx ends.
func (b *bells) carry(ctx context.Context, region shard.Region) error {
	as := micro.WithActor(ctx, micro.Actor{ID: order.ServiceName, Role: micro.RoleService})
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.rung[region]:
		}
		ringing, cancel := context.WithTimeout(as, bellTimeout)
		// Nobody there, or too busy to answer: the event finds them later.
		_ = b.dispatch.Wake(ringing, region)
		cancel()
	}
}
