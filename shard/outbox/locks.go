package outbox

// advisory is the key of a PostgreSQL advisory lock. The class is "Tifo" in
// ASCII; locks are per database, so every shard has its own.
type advisory struct{ class, object int32 }

var (
	// leadLock is held by the relay that works.
	leadLock = advisory{0x5469666f, 1}
	// sleepLock is held by that relay while it waits for a notification, and
	// shared by every transaction that has appended and not yet ended. Each
	// side only ever tries for it: a relay that does not get it polls again
	// soon instead of sleeping, and a transaction that does not get it
	// notifies.
	sleepLock = advisory{0x5469666f, 2}
)
