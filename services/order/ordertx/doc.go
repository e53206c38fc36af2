// Package ordertx is the part of the order service that runs inside transactions, its own and those of the delivery
// service: reading and locking orders, and changing them.
//
// Invariants:
//
//   - All SQL that reads or changes the row of an order is here or in order/server.
//   - A change raises seq by exactly one and writes three rows together: the order, its history, its event. There is no
//     other way to change an order. If the Record was not locked by this transaction and has changed since it was read,
//     the history's key refuses the change.
//   - The order row is the first lock of every transaction that takes several: order, then job, then rider.
//   - Times are the database's. A Record carries the moment of its lock, and all that one change writes bears it.
package ordertx
