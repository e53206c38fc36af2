// Package order is the contract of the order service: what an order is, which moves its state machine allows to whom,
// the events it causes, and a typed client. The rules here are pure; the service itself lives in order/server.
//
// Invariants others may rely on:
//
//   - An order's id carries the region of its restaurant and the millisecond of its creation, so any holder of an id
//     finds its shard, and the descending order of ids is "newest first".
//   - Every change of an order raises its seq by exactly one, starting with 1 at its creation, and is one row of its
//     log. History, updates and events are all read from that log, so they can never disagree.
//   - A terminal order never changes again, whatever arrives late.
//   - An order and its rider change in one transaction of one shard. Whoever changes an order or its offers locks the
//     order row first, then the delivery job, then the rider, always in this order.
package order
