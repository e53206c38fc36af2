// Package ops is what the edge knows about the fleet behind it: whether
// everything it needs is up (/readyz), and what the operations page shows
// (/admin/overview).
//
// Invariants:
//
//   - The state is gathered in the background each second; asking for it costs
//     nothing and never waits.
//   - Readiness is a promise about this edge, not about the fleet: once
//     everything has been up, a dead dependency makes the report "degraded" and
//     leaves the edge ready, since it still serves what does not need it. Only
//     without NATS can it serve nothing.
//   - Reports name dependencies and say how they failed in a word. Addresses
//     and texts of drivers stay in the log.
package ops
