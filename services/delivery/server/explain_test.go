package server

import (
	"context"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/geo"
	"tiffin/services/order/ordertest"
)

// crowded fills a shard with a city of a hundred thousand riders, all of them free, and orders enough for each.
func crowded(t testing.TB) *pgx.Conn {
	t.Helper()
	bed := ordertest.New(t)
	newServer(t, bed)
	conn, err := bed.Shards.ByShard("a").Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	for _, sql := range []string{
		`insert into delivery.partners (id, region, city, latitude, longitude, place, available)
			select gen_random_uuid(), 'us-west', 'San Francisco', lat, lon,
				cube(array[cosd(lat) * cosd(lon), cosd(lat) * sind(lon), sind(lat)]), true
			from (select 37.6 + random() * 0.3 as lat, -122.6 + random() * 0.4 as lon from generate_series(1, 100000)) n`,
		`insert into delivery.offers (order_id, seq, region, partner_id, status, expires_at, offered_at)
			select gen_random_uuid(), 2, 'us-west', id, 'declined', now(), now() from delivery.partners`,
		`insert into delivery.offers (order_id, seq, region, partner_id, status, expires_at)
			select gen_random_uuid(), 4, 'us-west', id, 'offered', now() + interval '1 hour' from delivery.partners limit 2000`,
		`vacuum analyze delivery.partners, delivery.offers`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	for range 200 {
		_, err := conn.Exec(t.Context(), `insert into delivery.jobs (order_id, region, place) values (gen_random_uuid(), 'us-west', $1::text::cube)`,
			deliverytx.Place(ordertest.North(1)))
		require.NoError(t, err)
	}
	_, err = conn.Exec(t.Context(), `vacuum analyze delivery.jobs`)
	require.NoError(t, err)
	return conn
}

// Every statement that runs often finds its rows by an index, however many riders a city has.
func TestHotQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	conn := crowded(t)
	const someone = "00000000-0000-8000-8000-000000000042"
	reach, silent := geo.Chord(15), 5*time.Minute
	for name, q := range map[string]struct {
		sql  string
		args []any
	}{
		"candidates":   {candidatesSQL, []any{home, silent, reach, passJobs * passRiders, passRiders}},
		"next":         {nextUnclaimedSQL, []any{someone, silent, reach, someone}},
		"next fresh":   {nextFreshSQL, []any{someone, silent, reach, someone}},
		"next lapsed":  {nextLapsedSQL, []any{someone, silent, reach, someone}},
		"waiting":      {`select exists (select from delivery.jobs where region = $1 and not offered)`, []any{home}},
		"free":         {`select $1::text, ` + somebodyFree, []any{someone, silent}},
		"live offer":   {`select 1 from delivery.offers where partner_id = $1 and status in ('offered', 'accepted', 'picked_up')`, []any{someone}},
		"last offer":   {`select 1 from delivery.offers where order_id = $1 and partner_id = $2 order by seq desc limit 1`, []any{someone, someone}},
		"past offers":  {`select 1 from delivery.offers where partner_id = $1 and (offered_at, order_id, seq) < (now(), $1, 7) order by offered_at desc, order_id desc, seq desc limit 20`, []any{someone}},
		"overdue":      {`select 1 from delivery.offers where status = 'offered' and region = $1 and expires_at <= clock_timestamp() order by expires_at limit 500`, []any{home}},
		"gone silent":  {silentSQL, []any{home, silent}},
		"positions":    {positionsSQL, []any{[]string{someone}, []float64{1}, []float64{1}, []string{"(1,0,0)"}, stillFor, geo.Chord(stirKm)}},
		"at work":      {atWorkSQL, []any{[]string{string(home)}, silent, someone, 101}},
		"offer jobs":   {offerJobsSQL, []any{[]string{someone}}},
		"offer riders": {offerRidersSQL, []any{[]string{someone}, []string{someone}}},
		"set a rider":  {`update delivery.partners set available = true where id = $1`, []any{someone}},
	} {
		t.Run(name, func(t *testing.T) {
			text := explain(t, conn, "explain", q.sql, q.args...)
			require.NotContains(t, text, "Seq Scan on partners")
			require.NotContains(t, text, "Seq Scan on offers")
		})
	}
}

// explain gives a plan as the transactions that search by distance get it.
func explain(t *testing.T, conn *pgx.Conn, how, sql string, args ...any) string {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), byDistanceSQL)
	require.NoError(t, err)
	plan := testenv.Explain(t, tx.Conn(), how, sql, args...)
	require.NoError(t, tx.Rollback(t.Context()))
	return plan
}

// The nearest of a hundred thousand riders costs what the nearest of a hundred does: the index is read from the
// restaurant outwards, and no further than it takes.
func TestTheSearchGoesOutwardsFromTheRestaurant(t *testing.T) {
	t.Parallel()
	conn := crowded(t)
	reach, silent := geo.Chord(15), 5*time.Minute
	for name, q := range map[string]struct {
		sql  string
		args []any
	}{
		"candidates": {candidatesSQL, []any{home, silent, reach, passJobs * passRiders, passRiders}},
		"next":       {nextUnclaimedSQL, []any{firstJob(t, conn), silent, reach, firstJob(t, conn)}},
		"next fresh": {nextFreshSQL, []any{firstJob(t, conn), silent, reach, firstJob(t, conn)}},
	} {
		t.Run(name, func(t *testing.T) {
			text := explain(t, conn, "explain (analyze, timing off)", q.sql, q.args...)
			require.Contains(t, text, "Index Scan using partners_free")
			require.Contains(t, text, "Order By: (place <-> j.place)")
			for _, rows := range regexp.MustCompile(`partners_free.*actual rows=(\d+)`).FindAllStringSubmatch(text, -1) {
				n, err := strconv.Atoi(rows[1])
				require.NoError(t, err)
				require.LessOrEqual(t, n, passRiders)
			}
		})
	}
}

// A pass over a backlog searches for as many orders as it can offer, though the queue was empty when PostgreSQL last counted
// it: with two thousand waiting and as many busy riders around, a search for all of them takes longer than a statement may.
func TestAPassSearchesForNoMoreThanItOffers(t *testing.T) {
	t.Parallel()
	conn := crowded(t)
	for _, sql := range []string{
		`create temp table backlog as select * from delivery.jobs`,
		`delete from delivery.jobs`, `analyze delivery.jobs`, `insert into delivery.jobs table backlog`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	text := explain(t, conn, "explain (analyze, timing off)", candidatesSQL, home, 5*time.Minute, geo.Chord(15), passJobs*passRiders, passRiders)
	searches := regexp.MustCompile(`on jobs j .*actual rows=(\d+)`).FindStringSubmatch(text)
	require.NotNil(t, searches, text)
	n, err := strconv.Atoi(searches[1])
	require.NoError(t, err)
	require.LessOrEqual(t, n, passJobs+1, text)
}

func firstJob(t *testing.T, conn *pgx.Conn) (id string) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), `select order_id::text from delivery.jobs limit 1`).Scan(&id))
	return id
}
