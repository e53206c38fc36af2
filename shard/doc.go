// Package shard keeps PostgreSQL data by region: which region a city belongs
// to, which shard a region lives on, ids that carry their region, and the
// connection pools, transactions and migrations of the shards.
//
// Invariants:
//
//   - Routing is total and deterministic: every string names a city that has
//     exactly one region, and every region exactly one shard. A city nobody has
//     heard of gets its region by rendezvous hash.
//   - An id carries its region, never its shard. A region can therefore move to
//     another shard while every id, link and event out in the world stays
//     valid.
//   - The configuration says where a region starts its life; the ownership row
//     on the shards says where it lives now. The higher epoch wins, and a shard
//     that does not own a region refuses writes to it.
//   - A shard that is dead costs its own regions only: each shard has its own
//     pool and its own breaker, and no call waits for one longer than
//     Options.Timeout.
//
// The package knows PostgreSQL and regions. It knows neither NATS nor food.
package shard
