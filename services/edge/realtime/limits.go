package realtime

import (
	"net/netip"
	"sync"
	"time"

	"tiffin/micro"
)

// Limits bound what one client may take. They are far above what an honest one needs; many honest ones may share an
// address.
type Limits struct {
	PerAddress int // connections of one address, default 20000
	PerUser    int // connections of one signed-in user, default 5000
	Rooms      int // orders one connection follows, default 100
	Frames     int // messages a second of one connection, default 50; a burst of four seconds' worth passes
}

func (l *Limits) setDefaults() {
	for _, d := range []struct {
		field *int
		value int
	}{{&l.PerAddress, 20000}, {&l.PerUser, 5000}, {&l.Rooms, 100}, {&l.Frames, 50}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
}

// burstSeconds is how much of the rate of messages may come at once: a client that reconnects subscribes to all it had.
const burstSeconds = 4

// limiter counts connections.
type limiter struct {
	Limits
	exempt []netip.Prefix

	mu        sync.Mutex
	addresses map[netip.Addr]int
	users     map[string]int
}

func newLimiter(l Limits, exempt []netip.Prefix) *limiter {
	return &limiter{Limits: l, exempt: exempt, addresses: map[netip.Addr]int{}, users: map[string]int{}}
}

// free reports whether an address has no limits.
func (l *limiter) free(addr netip.Addr) bool {
	for _, network := range l.exempt {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// full returns what enter would, without counting.
func (l *limiter) full(addr netip.Addr) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.addresses[addr] >= l.PerAddress && !l.free(addr) {
		return micro.E(micro.CodeLimited, "too many connections from this address")
	}
	return nil
}

// enter counts a connection of an address; every one that was let in must leave. It returns limited for one too many.
func (l *limiter) enter(addr netip.Addr) error {
	if err := l.full(addr); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addresses[addr]++
	return nil
}

func (l *limiter) leave(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.addresses[addr]--; l.addresses[addr] <= 0 {
		delete(l.addresses, addr)
	}
}

// signIn counts a connection of a user; every one that was let in must sign out. It returns limited for one too many.
func (l *limiter) signIn(user string, addr netip.Addr) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users[user] >= l.PerUser && !l.free(addr) {
		return micro.E(micro.CodeLimited, "too many connections of this account")
	}
	l.users[user]++
	return nil
}

func (l *limiter) signOut(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users[user]--; l.users[user] <= 0 {
		delete(l.users, user)
	}
}

// bucket limits the messages of one connection. It is used by one goroutine at a time.
type bucket struct {
	level float64 // messages taken that have not yet leaked out
	at    time.Time
}

// take counts a message, false when they come too fast.
func (b *bucket) take(now time.Time, rate int) bool {
	if elapsed := now.Sub(b.at).Seconds(); elapsed > 0 {
		b.level = max(0, b.level-elapsed*float64(rate))
		b.at = now
	}
	b.level++
	return b.level <= float64(rate*burstSeconds)
}
