// Package inbound is what the edge does to every request before it knows the
// route: who is calling from where, under which request id and trace, with
// which headers the answer must leave, and how it is logged, measured and
// rescued.
//
// Invariants:
//
//   - Whatever a handler does, panic included, the client gets an answer that
//     carries the request id, and the log gets one line with the same id.
//   - A header that the client controls decides nothing unless the connection
//     comes from a trusted proxy.
//   - Values of a Request are copies: they stay valid after the handler has
//     returned and Fiber reuses its buffers.
package inbound
