// Package eventplane is the fault campaign of the way from a committed order to
// a RabbitMQ queue: outbox, relay, JetStream, bridge.
//
// Orders are written in real transactions with outbox rows, on three shards.
// Two relays and two bridges (tiffin run order, tiffin run bridge), nats-server,
// RabbitMQ and one PostgreSQL run as processes, with toxiproxy between them.
// From a seed, faults follow one another on two lanes at once: one kills, pauses
// and restarts processes, and wipes the stream; the other cuts, freezes and
// slows connections. Then everything is healed, and when nothing is under way
// any more the queue is read back and compared with the rows.
//
// The campaign promises what the contract does: no committed event is missing;
// a second copy has the same message_id and body; the first copies of an
// order's events are in the order of their transactions.
package eventplane
