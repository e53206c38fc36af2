// Package local is the embedded default: `tiffin up`. It finds, starts and
// supervises the backing servers, runs the whole fleet on them in this process,
// fills it with demo data and says where everything is.
//
// Invariants:
//   - Everything it writes lies in the home folder (TIFFIN_HOME); nothing that
//     already runs on the machine is touched.
//   - One process per home, by a lock that dies with it. So whatever child is
//     recorded there and alive is an orphan and may be ended.
//   - Data outlives everything: Ctrl-C, a crash, SIGKILL of us or of a child.
//   - The env file is whole or absent, readable by its owner only, and written
//     before the fleet is ready.
//   - What goes wrong is one line that says what to do.
package local
