package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"tiffin/micro"
)

const (
	// storeTimeout bounds one operation, retries of the driver included; scanTimeout a walk over all restaurants.
	storeTimeout    = 2 * time.Second
	scanTimeout     = 5 * time.Second
	defaultDatabase = "restaurants"
)

// store is the document store. It uses what MongoDB and FerretDB 1.24 have in common: plain indexes, equality and
// comparison, $set and $max; no transactions, TTL or geo indexes, collations or positional updates.
type store struct {
	client      *mongo.Client
	restaurants *mongo.Collection
	menus       *mongo.Collection
	leases      *mongo.Collection
	log         *slog.Logger
	breaker     *gobreaker.CircuitBreaker[any]
}

// openStore does not connect yet. Its error does not repeat the URL, which holds a password.
func openStore(url string, secure *tls.Config, log *slog.Logger, metrics prometheus.Registerer) (*store, error) {
	parsed, err := connstring.ParseAndValidate(url)
	if err != nil {
		return nil, errors.New("MONGODB_URL: not a usable mongodb:// URL")
	}
	database := parsed.Database
	if database == "" {
		database = defaultDatabase
	}
	journaled := true
	opts := options.Client().ApplyURI(url).
		SetAppName("tiffin-restaurant").
		SetServerSelectionTimeout(storeTimeout).
		SetHeartbeatInterval(2 * time.Second). // the default of 10s is how long a restarted server would go unnoticed
		SetMaxPoolSize(32).
		SetPoolMonitor(poolMonitor(metrics)).
		SetReadPreference(readpref.Primary()).
		SetReadConcern(readconcern.Local()). // the primary's newest: an acknowledged write is in it
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled})
	if secure != nil {
		opts.SetTLSConfig(secure)
	}
	client, err := mongo.Connect(opts)
	if err != nil {
		return nil, errors.New("MONGODB_URL: not a usable mongodb:// URL")
	}
	db := client.Database(database)
	return &store{
		client: client, log: log,
		restaurants: db.Collection("restaurants"), menus: db.Collection("menus"), leases: db.Collection("leases"),
		breaker: gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
			Name: "mongodb", Timeout: time.Second,
			ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= 3 },
			IsSuccessful: func(err error) bool { return !away(err) },
			IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
			OnStateChange: func(_ string, from, to gobreaker.State) {
				log.Warn("document store breaker", "from", from.String(), "to", to.String())
			},
		}),
	}, nil
}

// shutCodes are what a store answers that is there and cannot serve now: MongoDB while it stops, starts, or has no
// primary, and, as its internal error, FerretDB while the PostgreSQL behind it is away or has no connection left.
var shutCodes = []int{
	1,        // InternalError
	6, 7, 89, // HostUnreachable, HostNotFound, NetworkTimeout: of another member
	91, 11600, // ShutdownInProgress, InterruptedAtShutdown
	189, 10107, // PrimarySteppedDown, NotWritablePrimary
	11602, 13435, 13436, // InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary
	262, 9001, // ExceededTimeLimit, SocketException
}

// away says whether err means that the store cannot be reached, or cannot serve, now.
func away(err error) bool {
	var refused mongo.ServerError
	if errors.As(err, &refused) && slices.ContainsFunc(shutCodes, refused.HasErrorCode) {
		return true
	}
	return mongo.IsNetworkError(err) || mongo.IsTimeout(err) || errors.Is(err, mongo.ErrClientDisconnected)
}

// errNone says that no document has the id asked for.
var errNone = errors.New("no such document")

// do runs one operation within storeTimeout.
func (s *store) do(ctx context.Context, operation func(context.Context) error) error {
	return s.within(ctx, storeTimeout, operation)
}

// within runs an operation behind the breaker, so that a store that hangs costs few callers the whole timeout. The
// client's own timeout would not do: the driver ignores it for contexts that have a later deadline.
func (s *store) within(ctx context.Context, timeout time.Duration, operation func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := s.breaker.Execute(func() (any, error) { return nil, operation(ctx) })
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return errNone
	case away(err), errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return micro.Unavailable(err, "restaurants are unavailable, try again")
	}
	return err
}

// indexes by the name that they get by themselves. They only make queries faster.
var indexes = map[string]bson.D{
	"cityKey_1":              {{Key: "cityKey", Value: 1}},
	"nameKey_1__id_1":        {{Key: "nameKey", Value: 1}, {Key: "_id", Value: 1}},
	"ownerUserId_1":          {{Key: "ownerUserId", Value: 1}},
	"latitude_1_longitude_1": {{Key: "latitude", Value: 1}, {Key: "longitude", Value: 1}},
}

// prepare makes the indexes that are missing. Asking for one that exists would be harmless on MongoDB, but FerretDB 1.24
// panics over it. The breaker is not asked and not told: no reader depends on this.
func (s *store) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, scanTimeout)
	defer cancel()
	existing, err := s.restaurants.Indexes().ListSpecifications(ctx)
	if err != nil {
		return err
	}
	for name, keys := range indexes {
		if slices.ContainsFunc(existing, func(i mongo.IndexSpecification) bool { return i.Name == name }) {
			continue
		}
		if _, err := s.restaurants.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: keys}); err != nil {
			return err
		}
	}
	return nil
}

// ping bypasses the breaker: it is how one learns that the store is back.
func (s *store) ping(ctx context.Context) error { return s.client.Ping(ctx, readpref.Primary()) }

// close waits for operations under way.
func (s *store) close(ctx context.Context) error { return s.client.Disconnect(ctx) }

func byID(id bson.ObjectID) bson.D { return bson.D{{Key: "_id", Value: id}} }

// find reads one restaurant, or fails with errNone.
func (s *store) find(ctx context.Context, id bson.ObjectID) (d document, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		return s.restaurants.FindOne(ctx, byID(id)).Decode(&d)
	})
	return d, err
}

// inCity reads all restaurants of one city.
func (s *store) inCity(ctx context.Context, key string) (list []document, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		cursor, err := s.restaurants.Find(ctx, bson.D{{Key: "cityKey", Value: key}})
		if err != nil {
			return err
		}
		return cursor.All(ctx, &list)
	})
	return list, err
}

// scan walks all restaurants that the filter lets through, in no order. It ends with the error that stopped it, if any.
func (s *store) scan(ctx context.Context, filter bson.D) iter.Seq2[*document, error] {
	return func(yield func(*document, error) bool) {
		wanted := true
		err := s.within(ctx, scanTimeout, func(ctx context.Context) error {
			cursor, err := s.restaurants.Find(ctx, filter, options.Find().SetBatchSize(1000))
			if err != nil {
				return err
			}
			for wanted && cursor.Next(ctx) {
				var d document
				if err := cursor.Decode(&d); err != nil {
					return errors.Join(err, cursor.Close(ctx))
				}
				wanted = yield(&d, nil)
			}
			return errors.Join(cursor.Err(), cursor.Close(ctx))
		})
		if err != nil && wanted {
			yield(nil, err)
		}
	}
}

// insert writes a new restaurant. Its id is new, so that nothing can be in the way.
func (s *store) insert(ctx context.Context, d document) error {
	return s.do(ctx, func(ctx context.Context) error {
		_, err := s.restaurants.InsertOne(ctx, d)
		return err
	})
}

// errChanged says that somebody else changed the document although we held its lease: we were paused for longer.
var errChanged = micro.Unavailable(nil, "this restaurant was changed by others meanwhile, try again")

// replace writes a changed restaurant, unless it is no longer of the revision it was changed from. It leaves MenuRev
// alone, which changes by itself.
func (s *store) replace(ctx context.Context, d document, from int64) error {
	return s.do(ctx, func(ctx context.Context) error {
		result, err := s.restaurants.UpdateOne(ctx,
			bson.D{{Key: "_id", Value: d.ID}, {Key: "rev", Value: from}},
			bson.D{{Key: "$set", Value: bson.D{
				{Key: "name", Value: d.Name}, {Key: "city", Value: d.City}, {Key: "address", Value: d.Address},
				{Key: "latitude", Value: d.Latitude}, {Key: "longitude", Value: d.Longitude},
				{Key: "phoneNumber", Value: d.PhoneNumber}, {Key: "email", Value: d.Email},
				{Key: "cuisine", Value: d.Cuisine}, {Key: "isActive", Value: d.IsActive},
				{Key: "updatedAt", Value: d.UpdatedAt}, {Key: "region", Value: d.Region},
				{Key: "cityKey", Value: d.CityKey}, {Key: "nameKey", Value: d.NameKey},
				{Key: "cuisineKey", Value: d.CuisineKey}, {Key: "search", Value: d.Search}, {Key: "rev", Value: d.Rev},
			}}})
		if err == nil && result.MatchedCount == 0 {
			return errChanged
		}
		return err
	})
}

// findMenu reads a menu, or fails with errNone when the restaurant never had a dish.
func (s *store) findMenu(ctx context.Context, id bson.ObjectID) (m menuDocument, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		return s.menus.FindOne(ctx, byID(id)).Decode(&m)
	})
	return m, err
}

// replaceMenu writes a changed menu, unless it is no longer of the revision it was changed from; 0 is no menu yet.
func (s *store) replaceMenu(ctx context.Context, m menuDocument, from int64) error {
	return s.do(ctx, func(ctx context.Context) error {
		if from == 0 {
			_, err := s.menus.InsertOne(ctx, m)
			if mongo.IsDuplicateKeyError(err) {
				return errChanged
			}
			return err
		}
		result, err := s.menus.ReplaceOne(ctx, bson.D{{Key: "_id", Value: m.ID}, {Key: "rev", Value: from}}, m)
		if err == nil && result.MatchedCount == 0 {
			return errChanged
		}
		return err
	})
}

// announceMenu makes a menu's revision the one that prices may not be older than.
func (s *store) announceMenu(ctx context.Context, id bson.ObjectID, rev int64) error {
	return s.do(ctx, func(ctx context.Context) error {
		result, err := s.restaurants.UpdateOne(ctx, byID(id), bson.D{{Key: "$max", Value: bson.D{{Key: "menuRev", Value: rev}}}})
		if err == nil && result.MatchedCount == 0 {
			return fmt.Errorf("menu %s: %w", id.Hex(), errNone)
		}
		return err
	})
}
