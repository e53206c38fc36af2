// Package backing knows the servers Tiffin stands on: how each is found,
// prepared, started, recognised as ready and stopped, and how it is kept alive.
//
// Invariants: a server listens on loopback only and asks for a password
// (FerretDB excepted, which has none); preparing is idempotent and never
// touches data that exists; nothing outside the server's own folder is written;
// whatever is wrong comes back as one sentence that says what to do.
package backing
