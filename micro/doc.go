// Package micro is Tiffin's kit over NATS services (nats.go/micro) and JetStream: typed endpoints, a typed client, and events.
// It knows NATS, not food.
//
// What it promises to a service:
//   - A request reaches the handler decoded strictly and validated, with a deadline, the caller's Actor, request id and
//     trace context in ctx. It runs on a bounded pool of workers of its endpoint; when pool and queue are full the
//     caller gets "unavailable" at once instead of a growing backlog.
//   - A panic ends one request, not the process. An unknown error becomes "internal": logged once, hidden from clients.
//   - Errors survive the wire: errors.Is(err, micro.E(micro.CodeNotFound, "")) is true on the far side too.
//   - A service never looks alive without its subscriptions: Run returns an error when the connection or a
//     subscription is lost for good, and the process is meant to exit.
//   - A command is never buffered while disconnected and sent later (a "ghost order"): the connection has no reconnect
//     buffer, and a request whose deadline has passed is refused unread.
//
// Discovery (PING, INFO, STATS) speaks the protocol of nats.go/micro with its types, but on subscriptions of the kit's
// own. A nats.go/micro service counts only what was answered before its handler returned, which with workers is nothing;
// it does not say when a drained subscription is empty; it never hears of a refused one; and it answers to any reply
// subject, so that a ping could be made to publish an event.
//
// What it promises to an event: published with its id as Nats-Msg-Id, consumed at least once, redelivered with growing
// delay, and moved to the dead-letter stream DEAD, with the reason, when its handler calls it poison.
package micro
