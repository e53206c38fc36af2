// Package server is the delivery service itself: endpoints, the PostgreSQL store, and the loops that offer waiting
// orders to riders and end offers whose time is over.
//
// Invariants:
//
//   - Every step is one transaction that leaves order, queue, offer and rider consistent, so a process may die between
//     any two of them: the next look of any instance goes on from the rows.
//   - Locks are taken in the order dispatch lock, orders, jobs, offers, riders. A transaction that waits for an order
//     holds no rider. What locks several riders waits for none of them (positions) or holds the dispatch lock,
//     or is the end of an offer, which claims the next rider before it waits for them (ADR 111).
//   - One instance at a time offers the waiting orders of a region, by an advisory lock: without it two instances could
//     give the last rider to the younger of two orders.
//   - Wake-ups (an event, a rider's request) are hints that may be lost. The poll finds everything they would have.
//
// # From order to rider
//
// An order is in the queue since the transaction that placed it. attend.go is the loop of one region: when a bell rings
// (wake.go) it offers what waits; each poll it also ends offers whose time is over and notices riders who went silent.
// dispatch.go makes offers in passes: candidates.go asks the database for waiting orders, oldest first, each with the
// nearest riders who can be asked; match gives each order the first rider that no older order has taken; then all locks
// are taken, everything is looked at again, and the offers are written in one batch.
//
// # From offer to delivery
//
// offer.go holds what a rider's answer does. Accepting takes the order out of the queue. Any other end of an offer frees
// the rider and hands the order to the next one in the same transaction, or lets it wait. rider.go holds the endpoints
// that riders use; which offer they mean is found without a lock, so that a crowd that was never asked stands in
// nobody's way. Picking up and ending an order belong to the order service, which writes the rider's part through
// deliverytx.
//
// # Signs of life
//
// A rider who is heard of is one who may be asked. Any request of theirs counts (pulse.go, written now and then), and so
// do their positions, which tracking hands in as batches (position.go).
package server
