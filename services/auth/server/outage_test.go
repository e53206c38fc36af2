package server

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/shard"
)

// nowhere is the URL of a shard that refuses connections: nothing ever listens on port 1.
const nowhere = "postgres://nobody@127.0.0.1:1/none"

// fragile is a fleet whose shard c the test may stop, pause and start.
func fragile(t *testing.T) (*Server, *testenv.Server) {
	t.Helper()
	c := testenv.OwnPostgres(t)
	urls := map[string]string{"a": testenv.Postgres(t), "b": testenv.Postgres(t), "c": c.URL}
	return newServer(t, openSet(t, configOf(urls))), c
}

// A dead shard costs the registrations and logins of its own cities, and nothing else.
func TestOneDeadShard(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*testenv.Server){
		"killed": (*testenv.Server).Kill,
		"frozen": (*testenv.Server).Pause,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := fragile(t)
			here, there := freshEmail(), freshEmail()
			mustRegister(t, s, here, "Boston")
			lost := mustRegister(t, s, there, "Guadalajara")
			fail(c)

			_, err := s.login(t.Context(), login(here))
			require.NoError(t, err)
			_, err = s.login(t.Context(), login(there))
			requireCode(t, micro.CodeUnavailable, err)
			_, err = s.login(t.Context(), login(freshEmail()))
			requireCode(t, micro.CodeUnavailable, err) // unknown, or on the shard that does not answer: nobody can tell

			fresh := freshEmail()
			_, err = s.register(t.Context(), registration(fresh, "Guadalajara"))
			requireCode(t, micro.CodeUnavailable, err)
			mustRegister(t, s, fresh, "San Francisco") // the address was not lost with the failed attempt
			_, err = s.register(t.Context(), registration(fresh, "Boston"))
			requireCode(t, micro.CodeConflict, err)
			_, err = s.register(t.Context(), registration(there, "Boston"))
			requireCode(t, micro.CodeConflict, err) // taken by somebody who cannot be asked: the votes know

			if name == "frozen" {
				c.Resume()
			} else {
				c.Start()
			}
			require.Eventually(t, func() bool {
				session, err := s.login(t.Context(), login(there))
				return err == nil && session.User.ID == lost.User.ID
			}, soon, 50*time.Millisecond)
		})
	}
}

// Two racing registrations while a shard is away still make one account, and when the shard is back, with its old
// claims, it learns who has the address.
func TestRaceWithADeadShard(t *testing.T) {
	t.Parallel()
	s, c := fragile(t)
	c.Kill()
	email := freshEmail()
	codes := make([]micro.Code, 20)
	together(len(codes), func(i int) {
		_, err := s.register(t.Context(), registration(email, []string{"San Francisco", "Boston"}[i%2]))
		codes[i] = micro.CodeOf(err)
	})
	won := 0
	for _, code := range codes {
		if code == "" {
			won++
			continue
		}
		require.Equal(t, micro.CodeConflict, code)
	}
	require.Equal(t, 1, won)

	c.Start()
	require.Eventually(t, func() bool {
		s.sweeper.sweep(t.Context())
		return len(claimsOf(t, s.cfg.Shards, email)) == 3
	}, soon, 50*time.Millisecond)
	session, err := s.login(t.Context(), login(email))
	require.NoError(t, err)
	require.Equal(t, claimedBy(session.User.ID, "a", "b", "c"), claimsOf(t, s.cfg.Shards, email))
}

// Without a majority nobody can register, and everybody on a living shard can sign in.
func TestTwoDeadShards(t *testing.T) {
	t.Parallel()
	alive := testenv.Postgres(t)
	urls := map[string]string{"a": alive, "b": nowhere, "c": nowhere}
	s := newServer(t, openSet(t, configOf(urls)))
	email := freshEmail()
	_, err := s.register(t.Context(), registration(email, "San Francisco"))
	requireCode(t, micro.CodeUnavailable, err)

	var left int
	require.NoError(t, s.cfg.Shards.ByShard("a").Pool().QueryRow(t.Context(), `select count(*) from auth.email_claims`).Scan(&left))
	require.Zero(t, left, "the votes were taken back")
}

// A fourth shard is configuration. While it is added, instances with the old and the new configuration register side by
// side without giving an address away twice; afterwards the repairer fills it.
func TestFourthShard(t *testing.T) {
	t.Parallel()
	urls := testenv.ShardURLs(t)
	old := newServer(t, openSet(t, configOf(urls)))
	var veterans []string
	for _, city := range homes {
		email := freshEmail()
		mustRegister(t, old, email, city)
		veterans = append(veterans, email)
	}

	urls["d"] = testenv.Postgres(t)
	config := configOf(urls)
	config.Shards[3].Regions = []string{"eu"}
	grown := newServer(t, openSet(t, config))
	for _, email := range veterans {
		_, err := grown.register(t.Context(), registration(email, "Toronto"))
		requireCode(t, micro.CodeConflict, err)
	}
	for range 5 {
		email := freshEmail()
		codes := make([]micro.Code, 16)
		together(len(codes), func(i int) {
			_, err := []*Server{old, grown}[i%2].register(t.Context(), registration(email, []string{"Boston", "Reno", "Toronto"}[i%3]))
			codes[i] = micro.CodeOf(err)
		})
		require.Equal(t, 1, accountsOf(t, grown.cfg.Shards, email))
		require.Contains(t, codes, micro.Code(""))
	}

	grown.sweeper.sweep(t.Context())
	for _, email := range veterans {
		session, err := grown.login(t.Context(), login(email))
		require.NoError(t, err)
		require.Equal(t, claimedBy(session.User.ID, "a", "b", "c", "d"), claimsOf(t, grown.cfg.Shards, email))
	}
}

// The repairer walks in batches, remembers where it was, and begins again only when it is told to.
func TestRepairGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	db := s.cfg.Shards.ByShard("b")
	const accounts = repairBatch + 20
	_, err := db.Pool().Exec(t.Context(), `
		insert into auth.users (id, region, email, email_canon, password_hash, first_name, last_name, phone_number, role,
			city, created_at, updated_at, inserted_at)
		select gen_random_uuid(), 'us-east', 'm' || n || '@example.com', 'm' || n || '@example.com', '', '', '', '',
			'customer', 'Boston', now(), now(), now() - interval '1 hour' + n * interval '1 second'
		from generate_series(1, $1) n`, accounts)
	require.NoError(t, err)
	s.sweeper.sweep(t.Context())
	for _, shard := range s.cfg.Shards.All() {
		require.Equal(t, accounts, countClaims(t, shard))
	}
	// Claims that vanish behind the cursor stay away: the walk looks at each account once.
	_, err = db.Pool().Exec(t.Context(), `delete from auth.email_claims`)
	require.NoError(t, err)
	s.sweeper.sweep(t.Context())
	require.Zero(t, countClaims(t, db))

	// So whoever restores a shard from a backup deletes the cursors (deploy/restore.sh), and a walk that was under way
	// does not write them again.
	walk, err := readCursor(t.Context(), db, "us-east", "b")
	require.NoError(t, err)
	_, err = db.Pool().Exec(t.Context(), `delete from auth.claim_repairs`)
	require.NoError(t, err)
	require.NoError(t, writeCursor(t.Context(), db, "us-east", "b", walk, cursor{At: time.Now(), ID: walk.ID}))
	s.sweeper.sweep(t.Context())
	require.Equal(t, accounts, countClaims(t, db))
}

func countClaims(t *testing.T, db *shard.DB) (n int) {
	t.Helper()
	require.NoError(t, db.Pool().QueryRow(t.Context(), `select count(*) from auth.email_claims where state = 'active'`).Scan(&n))
	return n
}

// What has been dead for a month goes, what is younger stays.
func TestPurge(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	session := mustRegister(t, s, freshEmail(), "Boston")
	db := s.cfg.Shards.ByShard("b")
	for _, age := range []string{"1 day", "40 days"} {
		_, err := db.Pool().Exec(t.Context(), `
			insert into auth.registrations (user_id, region, outcome, settled_at)
			values (gen_random_uuid(), 'us-east', 'abandoned', now() - $1::interval)`, age)
		require.NoError(t, err)
		_, err = db.Pool().Exec(t.Context(), `
			insert into auth.families (id, region, user_id, created_at, expires_at)
			values (gen_random_uuid(), 'us-east', $1, now(), now() - $2::interval)`, session.User.ID, age)
		require.NoError(t, err)
	}
	s.sweeper.sweep(t.Context())
	var tombstones, families int
	require.NoError(t, db.Pool().QueryRow(t.Context(), `
		select (select count(*) from auth.registrations where outcome = 'abandoned'), (select count(*) from auth.families)`).
		Scan(&tombstones, &families))
	require.Equal(t, 1, tombstones)
	require.Equal(t, 2, families, "the session and the family that ended yesterday")
	_, err := s.refresh(t.Context(), refreshOf(session))
	require.NoError(t, err)
}
