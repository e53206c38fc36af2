// Package rig runs real servers, and Tiffin's own roles, as processes that can
// be killed, paused and started again: for tests of faults, for benchmarks that
// weigh one process, and for fault campaigns.
//
// Invariants: a server keeps its ports and its data over all its lives; all it
// writes is under the rig's folder; whatever runs ends with the rig, and with
// this process even when that is killed.
package rig
