// Package process starts child processes so that none is ever left behind.
//
// Three nets, one under the other:
//   - Stop asks, waits and then kills the child's whole process group.
//   - The kernel signals a child when the thread that started it dies, so even
//     SIGKILL of this process ends it. The signal is the child's own stop
//     signal: a database then shuts down cleanly instead of being cut off.
//   - Every child is recorded on disk before Start returns. What a later run
//     finds in the records and still alive (same pid, same start time, same
//     boot) is an orphan of a run that was killed; Reap ends it.
//
// A pid alone proves nothing, since pids are reused; a pid with its start time
// names one process of one boot. That is why Reap never ends a stranger.
package process
