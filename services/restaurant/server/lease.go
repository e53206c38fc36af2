package server

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"tiffin/micro"
)

const (
	// leaseTTL is the age at which a lease counts as left behind by a dead process. It outlives leaseUse amply.
	leaseTTL = 10 * time.Second
	// leaseUse bounds what is done under a lease, leaseWait the waiting for one.
	leaseUse  = 5 * time.Second
	leaseWait = 3 * time.Second
	leasePoll = 20 * time.Millisecond
)

// leaseDocument says who may change a restaurant and its menu, in the collection leases.
type leaseDocument struct {
	ID     bson.ObjectID `bson:"_id"` // of the restaurant
	Holder bson.ObjectID `bson:"holder"`
	Until  time.Time     `bson:"until"`
}

// exclusively runs fn while nobody else changes the restaurant, here or in another process, or fails with unavailable.
//
// MongoDB would not need it: there, naming the revision in an update is enough. FerretDB 1.24 reads, compares and writes
// in three steps, and two updates at once can both succeed. What is atomic on both is inserting an _id. The revision is
// still named in every update, so that on MongoDB not even a process that was paused beyond its lease overwrites
// anything; on FerretDB such a process is caught unless it wakes up between two of those three steps.
func (s *store) exclusively(ctx context.Context, id bson.ObjectID, fn func(context.Context) error) error {
	holder := bson.NewObjectID()
	if err := s.acquire(ctx, id, holder); err != nil {
		return err
	}
	// The caller may have gone by then. A lease that cannot be given back now runs out.
	defer s.release(context.WithoutCancel(ctx), id, holder)
	ctx, cancel := context.WithTimeout(ctx, leaseUse)
	defer cancel()
	return fn(ctx)
}

// acquire waits for its turn. Nobody queues: changes of one restaurant at the same moment are rare, and all come soon.
func (s *store) acquire(ctx context.Context, id, holder bson.ObjectID) error {
	patience, cancel := context.WithTimeout(ctx, leaseWait)
	defer cancel()
	for {
		taken, err := s.tryLease(patience, leaseDocument{ID: id, Holder: holder, Until: time.Now().Add(leaseTTL)})
		if err != nil || taken {
			return err
		}
		select {
		case <-patience.Done():
			return micro.Unavailable(patience.Err(), "this restaurant is being changed by others, try again")
		case <-time.After(leasePoll/2 + rand.N(leasePoll)):
		}
	}
}

// tryLease takes the lease if it is free. One that has run out is removed, for the next try.
func (s *store) tryLease(ctx context.Context, lease leaseDocument) (taken bool, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		_, err := s.leases.InsertOne(ctx, lease)
		if !mongo.IsDuplicateKeyError(err) {
			taken = err == nil
			return err
		}
		var theirs leaseDocument
		err = s.leases.FindOne(ctx, byID(lease.ID)).Decode(&theirs)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return nil // given back just now
		}
		if err == nil && time.Now().After(theirs.Until) {
			err = s.deleteLease(ctx, theirs.ID, theirs.Holder)
		}
		return err
	})
	return taken, err
}

// release gives the lease back. It deletes its own lease only: one that ran out may be somebody else's by now.
func (s *store) release(ctx context.Context, id, holder bson.ObjectID) {
	err := s.do(ctx, func(ctx context.Context) error { return s.deleteLease(ctx, id, holder) })
	if err != nil {
		s.log.WarnContext(ctx, "lease on a restaurant is left to run out", "restaurant", id.Hex(), "error", err)
	}
}

func (s *store) deleteLease(ctx context.Context, id, holder bson.ObjectID) error {
	_, err := s.leases.DeleteOne(ctx, bson.D{{Key: "_id", Value: id}, {Key: "holder", Value: holder}})
	return err
}
