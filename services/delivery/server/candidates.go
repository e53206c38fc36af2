package server

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

const (
	// passJobs is how many orders one dispatch transaction offers at most: enough to share the cost of the commit among
	// many, few enough that nobody waits long for the locks it holds.
	passJobs = 32
	// passRiders is how many riders are considered for each at most.
	passRiders = passJobs
)

// The conditions of a candidate p for an order j, with $2 the silence that counts as gone and $3 the reach as a chord.
// The box around the restaurant is what the index can search; the chord cuts off its corners.
const (
	free = `p.available and not p.silent and p.order_id is null
		and p.region = j.region and p.seen_at > now() - $2::interval`
	near = `p.place OPERATOR(public.<@) public.cube_enlarge(j.place, $3, 3)
		and p.place OPERATOR(public.<->) j.place <= $3`
	// somebodyFree is mostly one probe of an index, whether anybody, of any region, is free. The index is read from those
	// who were last heard of longest ago: who carries something moves, and stands at its other end.
	somebodyFree = `exists (select from delivery.partners
		where available and not silent and order_id is null and seen_at > now() - $2::interval)`
	chord = `p.place OPERATOR(public.<->) j.place`
	// fresh riders have not been asked, or could not answer because the offer was withdrawn.
	fresh = `p.id <> all (array(
		select o.partner_id from delivery.offers o where o.order_id = j.order_id and o.status in ('declined', 'expired')))`
	// asMany riders are considered for an order as orders wait: so a pass never runs out of riders for the last of them
	// while more are near, and one order alone costs the search of one rider.
	asMany = `(select count(*) from (select from delivery.jobs where region = $1 and not offered limit $5) waiting)`
	// lapsed riders let this order expire and did not decline it: they are asked again after all others, those who let
	// it expire least often first.
	lapsed = `
		select o.partner_id, count(*) as times from delivery.offers o
		where o.order_id = j.order_id and o.status in ('declined', 'expired')
		group by o.partner_id having bool_and(o.status = 'expired')`
)

// byDistanceSQL keeps the planner of this transaction from collecting first and sorting then: everybody within reach, whom it
// believes to be a handful, because nobody keeps statistics of places, and who are everybody in a large city; and the
// riders of all waiting orders, since the queue is mostly empty when it is counted, and a pass over a backlog would look
// for all of it each time to offer 32.
const byDistanceSQL = `select set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)`

// candidatesSQL finds waiting orders of a region, oldest first, with the nearest riders that can be asked for each. It
// costs one probe when nobody is free, however many orders wait. byDistanceSQL goes before it.
const candidatesSQL = `
	select j.order_id::text, c.id::text
	from delivery.jobs j cross join lateral (
		(select p.id, 0::bigint as times, ` + chord + ` as distance
		from delivery.partners p where ` + free + ` and ` + near + ` and ` + fresh + `
		order by ` + chord + ` limit ` + asMany + `)
		union all
		(select p.id, l.times, ` + chord + `
		from (` + lapsed + `) l join delivery.partners p on p.id = l.partner_id
		where ` + free + ` and ` + near + `
		order by 2, 3 limit ` + asMany + `)
	) c
	where j.region = $1 and not j.offered and ` + somebodyFree + `
	order by j.order_id, c.times, c.distance
	limit $4`

// candidate is a rider who can be asked for an order.
type candidate struct{ order, partner string }

// queueCandidates queues the search of riders for waiting orders: orders oldest first, the riders of each in the order to
// be asked.
func (s *store) queueCandidates(b *pgx.Batch, region shard.Region, into *[]candidate) {
	b.Queue(candidatesSQL, region, s.silentTTL, s.reach, passJobs*passRiders, passRiders).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c candidate, err error) {
			err = row.Scan(&c.order, &c.partner)
			return c, err
		})
		return err
	})
}

// match gives each order, in turn, the first of its riders that no order before it has taken. more says that an order
// went empty only because of others, so that another look may find somebody for it.
func match(list []candidate) (pairs []candidate, more bool) {
	taken, served := map[string]bool{}, map[string]bool{}
	for _, c := range list {
		switch {
		case served[c.order]:
		case taken[c.partner]:
			more = true
		case len(pairs) == passJobs:
			return pairs, true
		default:
			taken[c.partner], served[c.order] = true, true
			pairs = append(pairs, c)
		}
	}
	return pairs, more
}

// The three statements find and lock the one rider to be asked next for an order whose offer ends; $4 is the rider who had it, who
// is left to the queue: another order may have waited longer. byDistanceSQL goes before them.
const (
	// freshRiders ends inside the search of riders, nearest first: the limit follows, and what is made of its rows as c.
	freshRiders = `from delivery.jobs j cross join lateral (
			select p.id from delivery.partners p where p.id <> $4 and ` + free + ` and ` + near + ` and ` + fresh + `
			order by ` + chord
	// nextUnclaimedSQL passes by whom another such transaction has claimed: where many decline at once, all would wait
	// for the same nearest rider, and then for the next. It is not skip locked, which would pass by those as well whose
	// position is being written. The limit keeps the claim outside of the search, which stops at the first that is
	// granted. The second column is null when they were taken by others before their row was ours.
	nextUnclaimedSQL = `with claimed as materialized (
			select c.id ` + freshRiders + ` limit 32) c
			where j.order_id = $1 and pg_try_advisory_xact_lock(hashtext('claimed rider'), hashtext(c.id::text)) limit 1
		) select c.id::text, (select p.id::text from delivery.partners p
			where p.id = c.id and p.available and not p.silent and p.order_id is null for update)
		from claimed c`
	nextFreshSQL  = `select c.id::text ` + freshRiders + ` limit 1 for update) c where j.order_id = $1`
	nextLapsedSQL = `select p.id::text from delivery.jobs j
			cross join lateral (` + lapsed + `) l join delivery.partners p on p.id = l.partner_id
		where j.order_id = $1 and p.id <> $4 and ` + free + ` and ` + near + `
		order by l.times, ` + chord + ` limit 1 for update of p`
)

// next locks the rider to be asked next for an order, "" when there is nobody. A rider whom another transaction takes
// meanwhile is passed over.
func (s *store) next(ctx context.Context, tx pgx.Tx, orderID, before string) (partner string, err error) {
	args := []any{orderID, s.silentTTL, s.reach, before}
	for {
		var claimed string
		var locked *string
		err = tx.QueryRow(ctx, nextUnclaimedSQL, args...).Scan(&claimed, &locked)
		if errors.Is(err, pgx.ErrNoRows) {
			break
		}
		if err != nil || locked != nil {
			return claimed, err
		}
	}
	for _, sql := range []string{nextFreshSQL, nextLapsedSQL} {
		err = tx.QueryRow(ctx, sql, args...).Scan(&partner)
		if !errors.Is(err, pgx.ErrNoRows) {
			return partner, err
		}
	}
	return "", nil
}
