// Package telemetry sends what an operator wants to see to where they look at
// it: traces by OTLP, errors to a service that speaks Sentry's protocol. Both
// are off until an address is configured, and cost nothing then.
//
// Invariants:
//
//   - Nobody waits for it. What cannot be sent in time is dropped and counted; a
//     collector that is away costs no request anything.
//   - No personal data leaves: no e-mail address, phone number, delivery address
//     or position, no client's address, no path with ids in it, no parameter of
//     a query. Roles go out, actors do not.
//   - Nothing global: no provider, propagator or error handler is registered, so
//     that several fleets can live in one process.
package telemetry
