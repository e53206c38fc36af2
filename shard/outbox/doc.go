// Package outbox turns events into rows of the transaction that caused them,
// and rows into JetStream messages.
//
// JetStream is a pipe, never the record: the row is. A row stays until the
// bridge has handed its event to RabbitMQ, and then for the retention, so that
// a stream that lost its messages is filled again from here.
//
// Invariants:
//
//   - At least once. An event is published after its transaction committed and
//     never before, and marked as sent only after JetStream acknowledged it. A
//     repeat carries the same id, and JetStream drops it within its window.
//   - In order per key. Append runs under the row lock of what the key names,
//     so sequence numbers of one key follow the order of its commits; the relay
//     publishes by sequence number and goes no further than the first event
//     that is not acknowledged, so nothing overtakes, whatever is lost. Between
//     keys there is no order.
//   - One relay works per shard, by a session advisory lock. One that was
//     paused and lost its lock can still publish what it holds, but only events
//     that the relay before it had not passed, in the same order, with the same
//     ids; and it cannot mark anything, because it reads and marks on the
//     connection that holds the lock.
//   - NOTIFY only wakes, the poll each second is the guarantee. NOTIFY
//     serializes the commits of all transactions that use it, so Append sends
//     it only to a relay that sleeps; see sleepLock.
package outbox
