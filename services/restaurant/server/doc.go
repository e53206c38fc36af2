// Package server is the restaurant service: endpoints, the document store and its cache.
//
// Invariants:
//
//   - The document store decides. It is read by id or as a whole city; a menu is one document. Changes of a
//     restaurant and its menu take turns, and each names the revision it was made from: none overwrites another.
//   - A change is acknowledged after the cache has let go of everything it touches; package cache says why no reader sees
//     an older value then. Lists are kept per city: a change costs its own city's listing and no other.
//   - A quote never has an old price. It reads the restaurant from the store, and the restaurant names the revision of
//     the menu that was acknowledged last; a cached menu of a lower one is not used.
//   - Without Redis everything works, a read costing a query; without the store, what is cached is still read.
package server
