// Package realtime serves live tracking from one hub over two transports: WebSocket at /ws and Socket.IO at /socket.io/.
//
// From the outside in:
//
//	websocket.go, polling.go   a client arrives: origin, token, limits, then it is a client
//	engine.go, namespace.go    Engine.IO and Socket.IO: what the bytes of a client mean
//	client.go, events.go       the events, the same for both transports
//	hub                        rooms by order: who gets what, without gaps and repetitions
//	live                       the Redis channels the rooms are fed from
//	socket, ws                 bounded queues, bytes on the wire
//
// Invariants:
//   - One goroutine reads a client and handles its events one after the other, so a rider's fixes keep their order.
//   - Whoever made a client ends it by finish, which takes it out of its rooms, gives back its places in the limits and
//     returns when nothing writes to its connection any more. Run returns after the last finish.
//   - Services judge who may see an order, in the name of the end user. The edge adds no rights, except that
//     TRACKING_ANONYMOUS lets clients without a token ask in the edge's own name.
package realtime
