package server

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/shard"
)

// sleeper is a dispatch that hears one ring at a time and says so.
type sleeper struct{ heard, release chan struct{} }

func (s *sleeper) Wake(ctx context.Context, _ shard.Region) error {
	if micro.ActorFrom(ctx).Role != micro.RoleService {
		return micro.Forbidden("rings are for services")
	}
	s.heard <- struct{}{}
	<-s.release
	return micro.E(micro.CodeTimeout, "too busy to answer")
}

// Whoever rings never waits, rings in between are one, and a dispatch that does not answer ends nothing.
func TestRingsAreGathered(t *testing.T) {
	t.Parallel()
	s := &sleeper{heard: make(chan struct{}), release: make(chan struct{})}
	b := newBells(s, []shard.Region{"us-west"})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.carry(ctx, "us-west") }()
	b.ring("us-west")
	<-s.heard
	for range 100 {
		b.ring("us-west")
		b.ring("atlantis") // is not configured here
	}
	s.release <- struct{}{}
	<-s.heard
	require.Empty(t, b.rung["us-west"])
	s.release <- struct{}{}
	stop()
	require.NoError(t, <-done)
}
