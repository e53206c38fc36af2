// Package health watches what a process depends on and tells balancers,
// Kubernetes and people whether to send it work.
//
// Invariants:
//
//   - The state is gathered in the background each second and a look is cut off
//     before the next one is due, so a report is never more than two seconds
//     from the truth; asking for it costs nothing and never waits.
//   - Readiness is a promise about this process, not about the fleet: it begins
//     when everything has been up at once. From then on a dead dependency makes
//     the report "degraded" and leaves the process ready, since it still serves
//     what does not need it. Only what Alive denies makes it unready.
//   - Reports name dependencies and say how they failed in a word. Addresses
//     and texts of drivers stay in the log.
package health
