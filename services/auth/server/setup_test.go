package server

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon and often are the patience and the pace of waiting for conditions.
const (
	soon  = 20 * time.Second
	often = 5 * time.Millisecond
)

// A city of each shard.
var homes = map[string]string{"a": "San Francisco", "b": "Boston", "c": "Guadalajara"}

var regions = map[string][]string{"a": {"us-west", "ca"}, "b": {"us-east", "us-central"}, "c": {"us-south", "mx"}}

// threeShards is the configuration of three empty databases.
func threeShards(t *testing.T) shard.Config {
	t.Helper()
	return configOf(testenv.ShardURLs(t))
}

func configOf(urls map[string]string) shard.Config {
	var config shard.Config
	for _, id := range []string{"a", "b", "c", "d"} {
		if urls[id] != "" {
			config.Shards = append(config.Shards, shard.ShardConfig{ID: id, URL: urls[id], Regions: regions[id]})
		}
	}
	return config
}

func openSet(t *testing.T, config shard.Config) *shard.Set {
	t.Helper()
	router, err := shard.NewRouter(config)
	require.NoError(t, err)
	set, err := shard.Open(t.Context(), router, config, shard.Options{MaxConns: 8, Keys: testenv.Keys(t)})
	require.NoError(t, err)
	t.Cleanup(set.Close)
	return set
}

// newServer makes an instance over the shards, with cheap hashes and a sweeper that sweeps only when told.
func newServer(t *testing.T, set *shard.Set, change ...func(*Config)) *Server {
	t.Helper()
	cfg := Config{
		Shards: set, JWTSecret: "a secret of at least thirty-two bytes", BcryptCost: bcrypt.MinCost,
		BcryptQueue: 1000, SweepInterval: time.Hour,
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.cache.Close()) })
	s.sweeper.lag = 0
	return s
}

// newFleet is one instance over three shards.
func newFleet(t *testing.T, change ...func(*Config)) *Server {
	t.Helper()
	return newServer(t, openSet(t, threeShards(t)), change...)
}

var emails atomic.Int64

func freshEmail() string { return fmt.Sprintf("user%d@example.com", emails.Add(1)) }

func registration(email, city string) auth.RegisterRequest {
	return auth.RegisterRequest{
		Email: email, Password: "secret-enough", FirstName: "Ada", LastName: "Lovelace",
		PhoneNumber: "+14155550100", Role: auth.RoleCustomer, City: city,
	}
}

func mustRegister(t *testing.T, s *Server, email, city string) auth.Session {
	t.Helper()
	session, err := s.register(t.Context(), registration(email, city))
	require.NoError(t, err)
	return session
}

func as(ctx context.Context, u auth.User) context.Context {
	return micro.WithActor(ctx, micro.Actor{ID: u.ID, Role: u.Role})
}

func login(email string) auth.LoginRequest {
	return auth.LoginRequest{Email: email, Password: "secret-enough"}
}

// requireCode fails unless err is answered with the code.
func requireCode(t *testing.T, code micro.Code, err error) {
	t.Helper()
	require.Equal(t, code, micro.CodeOf(err), "%v", err)
}

// together runs n functions as nearly at the same time as can be and waits for all.
func together(n int, fn func(i int)) {
	var group sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		group.Go(func() { <-gate; fn(i) })
	}
	close(gate)
	group.Wait()
}

// accountsOf counts the accounts of an address over all shards, by asking each database.
func accountsOf(t *testing.T, set *shard.Set, email string) (count int) {
	t.Helper()
	canonical, err := auth.CanonicalEmail(email)
	require.NoError(t, err)
	for _, db := range set.All() {
		var n int
		require.NoError(t, db.Pool().QueryRow(t.Context(),
			`select count(*) from auth.users where email_canon = $1`, canonical).Scan(&n))
		count += n
	}
	return count
}

// claimsOf lists the claims on an address: "<shard> <user> <state>".
func claimsOf(t *testing.T, set *shard.Set, email string) (list []string) {
	t.Helper()
	for _, db := range set.All() {
		rows, err := db.Pool().Query(t.Context(),
			`select user_id::text, state from auth.email_claims where email_canon = $1`, email)
		require.NoError(t, err)
		for rows.Next() {
			var user, state string
			require.NoError(t, rows.Scan(&user, &state))
			list = append(list, db.ID()+" "+user+" "+state)
		}
		require.NoError(t, rows.Err())
	}
	return list
}

// claimedBy is what claimsOf gives for an address that is one account's on all shards.
func claimedBy(user string, shards ...string) (list []string) {
	for _, id := range shards {
		list = append(list, id+" "+user+" active")
	}
	return list
}
