// Package edge is Tiffin's front door: one Fiber app with the REST API, the
// realtime transports, the documentation and the web app, and a second, smaller
// one for the tracking port.
//
// Rules that hold for every request, whatever the route:
//
//   - The routes are data (package rest). Routing, role checks, parsing and
//     /openapi.json come from the same rows, so none of them can drift from the
//     others.
//   - The edge judges form, identity and role; the services judge again and
//     alone judge ownership and state. A mistake here can refuse too much,
//     never grant too much.
//   - What leaves on an error is application/problem+json with a message
//     written for the client. Texts of drivers, addresses and stacks go to the
//     log, under the request id that the client got.
//   - No database but Redis, and that only for limits and realtime: with Redis
//     gone the edge serves on.
package edge
