// Package server is the auth service: accounts on the shards of their cities, sessions, and the one promise that spans
// shards, that an e-mail address has at most one account in the fleet.
//
// # One account per address, without one database for all
//
// Every shard has a table of claims: a row says "this shard's vote for this address goes to that user", and its primary
// key is the address, so a shard has one vote. A registration, under an id of its own that carries the home region,
//
//  1. reserves: asks the shards for their votes, in a fixed order, and needs a majority of all configured shards;
//  2. inserts: in one transaction on the home shard, the row of auth.registrations (committed), the account, a rider's
//     partner record and the first session;
//  3. activates: marks the votes as final. This is bookkeeping, and so is everything that follows.
//
// The account exists from the commit of step 2 on, and that row of auth.registrations is the only place that decides it.
//
// Proof that two registrations of one address, R and S, cannot both commit. Each inserts only after it was told by a
// majority of the shards that their vote is its own. Two majorities share a shard; say it voted for R first. It can
// only have told S otherwise after R's vote was deleted there. A vote is deleted in two cases:
//
//   - R itself released it, which it does only when it has not inserted and will not. (A new attempt is another
//     registration, with another id: the deletion may arrive late.)
//   - Somebody judged R abandoned. A judge first inserts R's row of auth.registrations as abandoned, on R's home, and
//     deletes votes only when that row is there and says so. R's transaction inserts the same primary key, and fails if
//     it comes later; if it came earlier, the judge finds it committed and deletes nothing.
//
// Either way, R does not commit once a vote of it was deleted. No clock, lease or timeout occurs in the argument: the
// age at which a reservation may be judged only decides how soon, not whether it is safe.
//
// A crash leaves, at worst, reservations. Whoever meets one (a registration of the same address, or the sweeper)
// settles it as above: committed is activated, abandoned is deleted, and while the home shard is away it stays.
//
// A dead shard costs the registration of its own cities; others still find a majority. A login needs no votes: it asks
// all shards at once, and only the shard that has the account needs to be alive. An address that was not found while a
// shard did not answer is 503 and not 401: it may live there.
//
// A fourth shard raises the majority from two of three to three of four; any three of the four still meet any two of
// the old three. In general majorities of n and of n+1 shards meet, so processes with the old and the new configuration
// may run side by side while one shard is added. The repairer then writes the claims of all accounts onto it. Wait for
// that (auth.claim_repairs) before adding the next one or taking one away.
//
// # Sessions
//
// A login begins a family of refresh tokens, and a refresh uses one token up and issues the next, in a transaction that
// holds the family's row. A token that comes a second time revokes the family in that same transaction, also when two
// uses race: the one that gets the row second finds the token used, and what the first one got is revoked with it.
//
// # Passwords
//
// At most a few bcrypt hashes run at once and few wait; the rest is refused (429) before it has cost a query. An unknown
// address is compared with a dummy hash of the same cost.
package server
