// Package ratelimit bounds how often a client may come, over all edges
// together.
//
// The algorithm is GCRA: a key may be used Rate times a second, with a burst of
// one second's worth, without windows at whose border twice as much would pass.
// The state lives in Redis, decided by one script for all keys of a request,
// and concurrent requests share a round trip, so that limits cost a busy edge
// little.
//
// Invariants:
//
//   - Take always answers, and soon. While Redis is away it decides by this
//     process's own state with the same rules, which bounds a flood at (number
//     of edges) × rate. Only the requests in flight when Redis fails wait, at
//     most Timeout; after that nobody asks Redis until a probe in the
//     background has succeeded.
//   - A refused request does not push the next allowed one further away.
package ratelimit
