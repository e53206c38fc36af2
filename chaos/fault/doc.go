// Package fault is what the fault campaigns have in common: what a fault is,
// lanes that inflict one after the other from a seed, and the network between
// the processes, which can be told to fail.
//
// Invariants: the same seed gives the same faults; every fault that was begun
// is ended, also when the campaign's time is over in between.
package fault
