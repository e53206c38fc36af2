// Package deliverytx is the part of the delivery service that runs inside other services' transactions: a rider's record
// is created with the account, an order enters the queue with the order row, and riders are freed with the order's end.
//
// Invariants:
//
//   - All SQL on the schema "delivery" that runs in another service's transaction is here.
//   - Whoever calls a function that changes an existing job, offer or rider holds the lock of the order row. Locks are
//     then taken in the order job, rider.
package deliverytx
