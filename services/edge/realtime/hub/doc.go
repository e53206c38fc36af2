// Package hub brings what happens to orders to the sockets that watch them. A room is an order somebody watches.
//
// A room is a small replicated log. What it knows about its order comes from three sources: the live channel, the
// snapshots that joining members bring, and the snapshot it fetches itself after a gap. All go through merge, so every
// member sees the same changes, each once, with seq rising by one. Positions have no log: only the newest counts, by its
// timestamp.
//
// Joining loses nothing because of its order: enter the room, wait until the live channel is confirmed, only then read
// the snapshot. A change is committed before it is published, so it is in the snapshot or on the channel.
//
// Deliver only files a message in its room; the workers do the rest. A room that gets positions faster than its worker
// can send them keeps the newest, so under overload positions are left out but never grow old in a queue.
//
// Locks: a shard's lock is never held while a room's is taken or a socket is written to.
package hub
