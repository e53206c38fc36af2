// Package wholefleet is the fault campaign of the whole fleet: people order,
// cook and ride in all shards (package sim, through the public interface alone),
// while every component in turn is killed, paused, cut off, slowed or filled up.
//
// The plant is a deployment of more than one machine on loopback: three
// nats-servers with the events on all three, two processes of every role, two
// edges behind a balancer, a PostgreSQL for each shard, Redis, RabbitMQ and a
// document store, with toxiproxy between all of them.
//
// In the end four records are compared: what the clients were told (every HTTP
// answer and every frame of every socket), what the shards have, what is on
// JetStream, and what stands in a queue of RabbitMQ. The promise is that of the
// contract: no accepted order is lost or doubled, no order has two riders and no
// rider two orders, no transition is illegal, no event is missing, a copy of an
// event is the same event, and what a socket is sent has no gap. Requests that
// nothing was wrong with succeed: see Judge for which those are.
package wholefleet
