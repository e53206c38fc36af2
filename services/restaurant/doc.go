// Package restaurant is the contract of the restaurant service: restaurants, their menus and what they cost.
//
// It holds the types of every endpoint with their validation, the subjects and a typed client. The service itself lives
// in restaurant/server and is imported by the fleet alone.
//
// Invariants others may rely on:
//
//   - Ids of restaurants and menu items are MongoDB ObjectIDs in lower-case hexadecimal (24 characters).
//   - Prices are exact cents everywhere: stored as integers, sent as numbers with two places.
//   - A write that was acknowledged is seen by every read that starts afterwards, cached or not: list, get, menu and
//     quote alike, on every instance.
package restaurant
