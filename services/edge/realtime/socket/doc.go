// Package socket is the outgoing side of one client: a bounded queue in which a newer position replaces an older one of
// the same order, in front of a WebSocket or of a client that polls.
//
// Invariants:
//   - Send never blocks and never waits for another socket.
//   - At most one goroutine writes to a socket at a time: the one that called Send while nothing was being written, for
//     a single attempt that does not wait, or else the drain, which exists only while there is something left over.
//   - Frames leave in the order of Send, except that a position takes the place of the older one it replaces.
//   - Nothing but replaced positions is ever left out: a socket whose queue is full is closed instead, and its client
//     asks for what it missed when it is back.
//   - After Finish returns nobody writes to the connection.
package socket
