package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/restaurant"
)

// However many want to change a restaurant, on however many instances, one does at a time.
func TestLeaseIsExclusive(t *testing.T) {
	t.Parallel()
	url := testenv.Mongo(t)
	instances := []*Server{newServer(t, url, nil), newServer(t, url, nil)}
	id := bson.NewObjectID()
	var inside, most, entered atomic.Int64
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			err := instances[i%2].store.exclusively(t.Context(), id, func(context.Context) error {
				most.Store(max(most.Load(), inside.Add(1)))
				entered.Add(1)
				inside.Add(-1)
				return nil
			})
			require.NoError(t, err)
		})
	}
	group.Wait()
	require.EqualValues(t, 1, most.Load())
	require.EqualValues(t, 12, entered.Load())
	left, err := instances[0].store.leases.CountDocuments(t.Context(), bson.D{})
	require.NoError(t, err)
	require.Zero(t, left)
}

func TestLeaseIsGivenBackAfterAnError(t *testing.T) {
	t.Parallel()
	s := newServer(t, testenv.Mongo(t), nil)
	id, broken := bson.NewObjectID(), errors.New("broken")
	for range 2 {
		err := s.store.exclusively(t.Context(), id, func(context.Context) error { return broken })
		require.ErrorIs(t, err, broken)
	}
}

// A lease of the dead is taken over once it has run out, and not before.
func TestLeaseOfTheDead(t *testing.T) {
	t.Parallel()
	s := newServer(t, testenv.Mongo(t), nil)
	me := owner(t)
	r := mustOpen(me, t, s, opening("Haunted", "Boston"))
	id := must(parseID(r.ID, ""))
	leave := func(until time.Time) {
		_, err := s.store.leases.InsertOne(t.Context(), leaseDocument{ID: id, Holder: bson.NewObjectID(), Until: until})
		require.NoError(t, err)
	}
	leave(time.Now().Add(-time.Second))
	rename := restaurant.UpdateRequest{ID: r.ID, Changes: restaurant.Changes{Name: ptr("Free again")}}
	_, err := s.update(me, rename)
	require.NoError(t, err)

	leave(time.Now().Add(time.Minute))
	_, err = s.update(me, rename)
	requireCode(t, micro.CodeUnavailable, err)
	_, err = s.update(owner(t), rename)
	requireCode(t, micro.CodeForbidden, err) // who may not change it need not wait
}

// Should a process be paused for longer than its lease, the revision it names is no longer the latest.
func TestChangeFromAnOldRevisionIsRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t, testenv.Mongo(t), nil)
	me := owner(t)
	r := mustOpen(me, t, s, opening("Name", "Boston"))
	item := mustAdd(me, t, s, r.ID, "Taco", 500)
	id := must(parseID(r.ID, ""))
	old, err := s.store.find(t.Context(), id)
	require.NoError(t, err)
	oldMenu, err := s.store.findMenu(t.Context(), id)
	require.NoError(t, err)
	_, err = s.update(me, restaurant.UpdateRequest{ID: r.ID, Changes: restaurant.Changes{Name: ptr("Newer")}})
	require.NoError(t, err)
	_, err = s.menuDelete(me, restaurant.MenuDeleteRequest{RestaurantID: r.ID, ItemID: item.ID})
	require.NoError(t, err)

	require.ErrorIs(t, s.store.replace(t.Context(), old, old.Rev), errChanged)
	require.ErrorIs(t, s.store.replaceMenu(t.Context(), oldMenu, oldMenu.Rev), errChanged)
	require.ErrorIs(t, s.store.replaceMenu(t.Context(), oldMenu, 0), errChanged)
	require.Equal(t, "Newer", get(t, s, r.ID).Name)
	require.Empty(t, menuOf(t, s, r.ID))
}
