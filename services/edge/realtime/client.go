package realtime

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/edge/realtime/hub"
	"tiffin/services/edge/realtime/socket"
	"tiffin/services/edge/realtime/ws"
	"tiffin/services/order"
)

const (
	// eventTimeout bounds what one event of a client may wait for.
	eventTimeout = 5 * time.Second
	// signInGrace is how long a client at /ws may take to authenticate, and one of Socket.IO to connect.
	signInGrace = 20 * time.Second
)

// client is one connected client, over either transport.
type client struct {
	*socket.Socket

	srv       *Server
	engine    *session // nil at /ws
	addr      netip.Addr
	requestID string
	since     time.Time
	slot      int // in the wheel
	place     int

	busy  sync.Mutex // held while an event is handled
	rooms map[string]*hub.Member

	mu     sync.Mutex // guards what heartbeats look at too
	bucket bucket
	who    identity
	expiry *time.Timer

	finished atomic.Bool
}

// signIn makes the client somebody, or renews the token of who it is already.
func (c *client) signIn(who identity) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.who.signedIn() && c.who.actor != who.actor {
		return micro.Conflict("this connection belongs to another account")
	}
	if !c.who.signedIn() && who.signedIn() {
		if err := c.srv.limits.signIn(who.actor.ID, c.addr); err != nil {
			return err
		}
	}
	c.who = who
	c.watchExpiry()
	return nil
}

// signOut makes the client nobody and takes it out of its rooms. busy is held.
func (c *client) signOut() {
	for _, m := range c.rooms {
		m.Leave()
	}
	c.rooms = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.who.signedIn() {
		c.srv.limits.signOut(c.who.actor.ID)
	}
	c.who = anonymous
	c.watchExpiry()
}

// identity gives who the client is.
func (c *client) identity() identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.who
}

// Stays tells whether the client may go on seeing the order after a change. Customers and owners keep their right;
// a rider to whom the order was offered loses it to the next one, whom they must not watch.
func (c *client) Stays(u order.Update) bool {
	actor := c.identity().actor
	return actor.Role != auth.RoleRider || u.DeliveryPartnerID == nil || *u.DeliveryPartnerID == actor.ID
}

// watchExpiry sets a timer when the token runs out before the next heartbeat looks again: tokens live for hours, and
// sockets with a timer each would cost more than the look. c.mu is held.
func (c *client) watchExpiry() {
	if c.expiry != nil {
		c.expiry.Stop()
		c.expiry = nil
	}
	left := c.who.expires.Sub(c.srv.cfg.Clock())
	if c.who.expires.IsZero() || left > 2*c.srv.cfg.PingInterval || c.finished.Load() {
		return
	}
	c.expiry = time.AfterFunc(max(0, left), func() { c.leave(ws.CloseSignIn, "the token has run out, sign in again") })
}

// beat is called once a ping interval.
func (c *client) beat() {
	c.mu.Lock()
	c.watchExpiry()
	unknown := !c.who.signedIn()
	c.mu.Unlock()
	switch {
	case c.Closing():
		c.linger()
	case c.overdue(unknown):
		c.leave(ws.CloseSignIn, "sign in first")
	case c.engine != nil:
		c.Beat(enginePing)
	default:
		c.Beat(socketPing)
	}
}

// overdue reports whether the client should have told by now who it is.
func (c *client) overdue(unknown bool) bool {
	if c.srv.cfg.Clock().Sub(c.since) < signInGrace {
		return false
	}
	if c.engine != nil {
		return !c.engine.joined.Load()
	}
	return unknown && !c.srv.cfg.Anonymous
}

// check is called a ping timeout after beat.
func (c *client) check() {
	if c.Silent() {
		c.hangUp()
	}
}

// leave ends the client in good form: after what is queued, with the code. Over Socket.IO a code that says "sign in
// again" is sent as a disconnect, after which the stock client does not come back by itself; otherwise it does.
func (c *client) leave(code int, reason string) {
	if c.engine != nil && code == ws.CloseSignIn {
		c.Send(errorFrame(c.Form(), reason), nil)
		c.Send(disconnectFrame, nil)
	}
	c.Shut(code, reason)
	if c.Polling() {
		c.linger()
	}
}

// hangUp ends the client at once: it is gone, or broke the rules of the protocol.
func (c *client) hangUp() {
	if c.Polling() {
		go c.finish() // may wait for an event being handled, and heartbeats must not
		return
	}
	c.Abort()
}

// linger finishes a client that polls, unless its last frames wait for a poll. The next heartbeat looks again, and then
// it has had its time.
func (c *client) linger() {
	if c.Polling() && (c.Drained() || c.Silent()) {
		go c.finish() // as in hangUp
		return
	}
	c.Beat(enginePing) // goes nowhere; marks that it was looked at
}

// finish takes the client out of everything and returns when nothing writes to its connection any more.
func (c *client) finish() {
	if !c.finished.CompareAndSwap(false, true) {
		return
	}
	c.Finish()
	c.busy.Lock()
	c.signOut()
	c.busy.Unlock()
	c.srv.limits.leave(c.addr)
	if c.engine != nil {
		c.srv.sessions.remove(c.engine)
	}
	c.srv.wheel.remove(c)
	c.srv.count.Add(-1)
	c.srv.clients.Done()
}

// context is for work done for the client: in its name, under the id of the request that opened the connection.
func (c *client) context() (context.Context, context.CancelFunc) {
	ctx := micro.WithRequestID(c.srv.base, c.requestID)
	ctx = micro.WithActor(ctx, c.identity().actor)
	return context.WithTimeout(ctx, eventTimeout)
}
