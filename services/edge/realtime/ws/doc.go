// Package ws is a WebSocket (RFC 6455) after the handshake: gofiber/contrib/websocket upgrades, this package reads and
// writes the frames of the connection beneath, with per-message deflate (RFC 7692) without context takeover.
//
// It exists because live tracking is tens of thousands of sockets that mostly wait, and one frame written to all
// sockets of a room. Hence three differences to the general-purpose libraries:
//
//   - Frames are plain bytes, so that one is made once and written to many sockets, several of them in one write.
//   - A waiting socket holds no buffer: Conn borrows one when the kernel has data, and the Parser keeps bytes of its own
//     only while a message is incomplete.
//   - TryWrite writes without blocking, so that whoever broadcasts needs no goroutine for a socket that keeps up.
//
// The connection belongs to its Conn alone from Hijack on. Nothing of it is pooled, so a socket that is used after its
// end can reach nobody else's connection; it gets net.ErrClosed.
package ws
