// Package ops is what the edge knows about the fleet behind it: whether
// everything it needs is up (/readyz), and what the operations page shows
// (/admin/overview).
//
// Invariants:
//
//   - Readiness follows package health: an edge that was ready once stays so
//     while NATS is reachable. Only without NATS can it serve nothing.
//   - One service's bad news about a dependency outweighs another's good.
//   - An overview is gathered every three quarters of a second at most, however
//     many look at it, and ahead of those who keep looking.
package ops
