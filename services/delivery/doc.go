// Package delivery is the contract of the delivery service: riders, the offers made to them, and who is asked next.
// The service itself lives in delivery/server.
//
// Invariants others may rely on:
//
//   - A rider's partner id is the user's id. It carries the region the rider works in, so riders and the orders they
//     can be offered live on one shard.
//   - An order has at most one open offer or carrying rider, and a rider at most one order: partial unique indexes
//     decide, and nothing outside the database does.
//   - Deadlines are set and compared by the clock of the database that holds them, so that no process with a wrong
//     clock can end an offer early.
//   - Everything that must happen later (an order to be offered, an offer that ends) is a row first. Wake-ups by event
//     or in the process only make it happen sooner than the poll would.
package delivery
