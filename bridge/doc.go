// Package bridge hands the order events of the stream EVENTS to RabbitMQ, and does nothing else.
//
// What it promises to a RabbitMQ consumer: every order.created and order.assigned, at least once, with the event's id as
// message_id; the first copies of one order's events in their order. Without faults there are no second copies.
//
// How it keeps that:
//
//   - One instance works at a time, the others stand by. Who works is who holds an exclusive queue on the very
//     connection it publishes on: when RabbitMQ takes the connection for dead it frees the lock and refuses further
//     publishes on it, in one step. A paused instance that wakes up can therefore publish nothing.
//   - A session begins at the durable consumer's acknowledgement floor, which it resets the consumer to. Whatever was
//     delivered to a session before and never confirmed comes again now, in order, and not after some timeout behind
//     newer events.
//   - Events of different orders are published without waiting, up to a window. The next event of an order waits for
//     the confirm of the one before, so that a refused one cannot be overtaken.
//   - JetStream hears of an event only when RabbitMQ has confirmed it and all before it, and returned none of them. A
//     refusal, a return, a gap or a lost connection ends the session, and the next begins at the floor.
//   - While RabbitMQ is away or blocked nothing is pulled: the backlog waits in the stream, not in memory.
//
// So a fault costs at most a window of second copies, with the same message_id and body, and never an event.
package bridge
