// Package auth is the contract of the auth service: what others may know about accounts and sessions.
//
// It holds the types of every endpoint with their validation, the subjects, the roles, the canonical form of an e-mail
// address and a typed client. The service itself lives in auth/server and is imported by the fleet alone; tokens are
// verified without asking anybody, by auth/token.
//
// Invariants others may rely on:
//
//   - A user's id carries the home region of the user's city; a rider's partner id is the user id itself.
//   - An e-mail belongs to at most one account of the whole fleet, compared in the form CanonicalEmail gives.
//   - A refresh token works once. Presenting it again revokes every token of its family.
package auth
