// Package fleet wires roles: it gives each role its own NATS connection and
// the databases it needs, starts them in one process and stops them in order.
// It is the one place that knows which role needs what.
//
// Invariants: the edge stops first and the connections last, so that no
// request in flight loses what it stands on; roles in one process share pools,
// Redis client and metrics, but never a NATS user; a role that is lost for good
// ends the process, because one that looks alive without doing its work is
// worse than one that is started again.
package fleet
