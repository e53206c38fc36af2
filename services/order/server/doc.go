// Package server is the order service itself: endpoints, the PostgreSQL store and the loop that expires orders.
//
// Invariants:
//
//   - An answer 201 means that order, history, event, job and idempotency key were committed together.
//   - Prices and names in an order are what the restaurant service quoted; nothing of them comes from the client.
//   - The service has no state of its own besides caches of facts that never change: any instance can serve any
//     request, and any number of them may run the expiry loop at once.
//
// # Placing an order
//
// create.go holds the walk. The city of the request says which region the order will live in, so its database can be
// asked first whether this Idempotency-Key has been answered before (key.go): a repetition is answered from there and
// needs neither the restaurant nor its menu. Otherwise the restaurant service quotes, the rules judge, and one batch in
// one transaction writes the key, the order, its first history row, its event and its place in the dispatch queue.
//
// Three things can go wrong at the end, and each has its answer:
//
//   - Another request of the same key is in flight. The unique key makes this one wait inside the database, for up to
//     order.KeyWait altogether; then it finds the other's order, or tells the client to come back.
//   - COMMIT is not answered. The same rows are written once more: the order's id is in both attempts, so at most one
//     of them can exist, and finding the first one's rows is the proof that it was placed.
//   - The customer, or the restaurant's owner, lives in another region. Their home learns of it by a letter that is part
//     of the order's transaction (travels.go), so that their list knows where to look.
//
// # Changing an order
//
// store.move locks the order, looks who is bound to it, decides and writes. The decision is a pure function of what was
// locked (status.go for requests, expire.go for the clock), because the transaction may have to run more than once. What
// the change means for the rider is written by deliverytx in the same batch.
//
// Where no rider matters, which is what kitchens do all day, store.moveTogether is tried first: read with others, decide,
// write with others, without a lock. The key of the history refuses what somebody else has changed in between, and then
// it is store.move's turn.
//
// # Reading orders
//
// One order is one row by its primary key, and everything needed to judge the reader stands in that row. Lists (list.go,
// filter.go) ask each shard that can hold a part for one page more than needed and merge them by id; the ids carry the
// time, so the last id of a page is all that a cursor has to hold. source.go keeps a region that is moving between two
// shards from being read twice.
package server
