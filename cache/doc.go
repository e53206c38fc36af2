// Package cache is a read-through cache in Redis whose readers never see a value older than the last acknowledged
// change, and which is allowed to be away. It knows Redis, not food.
//
// How it works. One Redis hash per key holds a generation (a random token, never used twice), the value, and who is
// loading it. A reader with a copy in its own memory asks for the generation alone: one short round trip, shared with
// all who ask at that moment, and no decoding. Change surrounds a write of the system of record: it closes the
// generation, writes, and deletes the hash.
//
// Invariants:
//
//   - A value is stored only under the generation that its loader saw before it began to load. Closing or deleting the
//     generation therefore makes every load that is under way worthless, however long its process was paused: there is
//     no stale fill.
//   - A copy in memory is used only while Redis confirms its generation. Without Redis every read goes to the source.
//   - Concurrent reads share a load only if it began after each of them did. Joining one that was already running, as
//     the usual single flight does, could miss a change acknowledged before the reader asked.
//   - A closed generation expires after a few seconds and takes the value with it, so a writer that dies between its
//     write and the deletion costs some cache misses and no stale value.
//   - A deletion that Redis did not take is owed: it is retried until it succeeds, and until then this process reads
//     past the cache. The one gap is a second fault: a process that dies while Redis is away, and Redis coming back
//     with its old data. Then a value may be stale for the rest of its life. What must not be stale even so (a price
//     that is charged) has to be checked against the source.
package cache
