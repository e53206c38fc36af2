package realtime

import (
	"context"
	"encoding/json"
	"time"

	"golang.org/x/sync/errgroup"

	"tiffin/micro"
	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/hub"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/wire"
)

// reader gives ctx in the name in which the client may ask about orders.
func (c *client) reader(ctx context.Context) (context.Context, error) {
	if c.identity().signedIn() {
		return ctx, nil
	}
	if !c.srv.cfg.Anonymous {
		return nil, micro.E(micro.CodeUnauthenticated, "sign in to follow an order")
	}
	return asEdge(ctx), nil
}

// asEdge speaks in the edge's own name.
func asEdge(ctx context.Context) context.Context {
	return micro.WithActor(ctx, micro.Actor{Role: micro.RoleService, ID: "edge"})
}

// subscribed is the answer to subscribe-order.
type subscribed struct {
	OrderID  string          `json:"orderId"`
	Location json.RawMessage `json:"location,omitempty"`
	Status   order.Status    `json:"status"`
	Seq      int64           `json:"seq"`
}

const (
	// listenTimeout is how long a subscriber waits for the live channel of its order.
	listenTimeout = 2 * time.Second
	// admitTries bounds how often a snapshot is read again because the room moved on; once is rare already.
	admitTries = 3
)

// subscribe brings the client into the room of an order: first into the room, then the question whether it may, in its
// own name, so that nothing can happen unseen between the snapshot and the first live frame.
func (c *client) subscribe(ctx context.Context, in call) error {
	t, err := parseTarget(in.data)
	if err != nil {
		return err
	}
	if ctx, err = c.reader(ctx); err != nil {
		return err
	}
	member, isNew, err := c.enter(t.OrderID)
	if err != nil {
		return err
	}
	if err := c.follow(ctx, member, t, in); err != nil {
		if isNew || micro.CodeOf(err) == micro.CodeNotFound {
			c.leaveRoom(t.OrderID)
		}
		return err
	}
	return nil
}

// enter finds the client's member in the room, or makes it.
func (c *client) enter(orderID string) (m *hub.Member, isNew bool, err error) {
	if m, ok := c.rooms[orderID]; ok {
		return m, false, nil
	}
	if len(c.rooms) >= c.srv.limits.Rooms && !c.srv.limits.free(c.addr) {
		return nil, false, micro.E(micro.CodeLimited, "too many orders on one connection")
	}
	m = c.srv.hub.Enter(orderID, c)
	if c.rooms == nil {
		c.rooms = make(map[string]*hub.Member, 1)
	}
	c.rooms[orderID] = m
	return m, true, nil
}

func (c *client) leaveRoom(orderID string) {
	if m, ok := c.rooms[orderID]; ok {
		m.Leave()
		delete(c.rooms, orderID)
	}
}

// follow reads where the order stands and has the member admitted with it.
func (c *client) follow(ctx context.Context, m *hub.Member, t target, in call) error {
	listening, cancel := context.WithTimeout(ctx, listenTimeout)
	defer cancel()
	if err := m.Listening(listening); err != nil {
		return micro.Unavailable(err, "tracking is unavailable")
	}
	for range admitTries {
		snap, err := c.srv.snapshot(ctx, t.OrderID, t.Since)
		if err != nil {
			return err
		}
		var encoding error
		admitted := m.Admit(snap, t.Since, func(s hub.State) *frame.Frame {
			var f *frame.Frame
			f, encoding = answerFrame(in, subscribedTo(t.OrderID, s))
			return f
		})
		if admitted {
			return encoding
		}
	}
	return micro.E(micro.CodeUnavailable, "the order changes too fast, try again")
}

func subscribedTo(orderID string, s hub.State) subscribed {
	out := subscribed{OrderID: orderID, Status: s.Status, Seq: s.Seq}
	if _, data, ok := frame.Split(s.Live); ok {
		out.Location = json.RawMessage(data)
	}
	return out
}

// snapshot reads where an order stands, in the name in ctx. The changes come from the order service and the position
// from tracking; each judges by itself whether the actor may know.
func (s *Server) snapshot(ctx context.Context, orderID string, since *int64) (hub.Snapshot, error) {
	g, ctx := errgroup.WithContext(ctx)
	var view tracking.View
	var state order.Updates
	g.Go(func() (err error) { view, err = s.cfg.Tracking.Get(ctx, orderID); return err })
	if since != nil {
		g.Go(func() (err error) { state, err = s.cfg.Orders.Updates(ctx, orderID, since); return err })
	}
	if err := g.Wait(); err != nil {
		return hub.Snapshot{}, err
	}
	snap := hub.Snapshot{Status: order.Status(view.Status), Seq: view.Seq}
	if since != nil {
		snap = hub.Snapshot{Status: state.Order.Status, Seq: state.Seq, Updates: state.Updates}
	}
	if view.Location != nil {
		data, err := wire.Encode(view.Location)
		if err != nil {
			return hub.Snapshot{}, err
		}
		snap.Live = frame.Event(hub.EventLocation, data).Live()
	}
	return snap, nil
}

// fetch is snapshot on the edge's own behalf, for rooms that lost touch.
func (s *Server) fetch(ctx context.Context, orderID string, since int64) (hub.Snapshot, error) {
	return s.snapshot(asEdge(ctx), orderID, &since)
}

// unsubscribe takes the client out of a room; out of one it is not in, too.
func (c *client) unsubscribe(in call) error {
	t, err := parseTarget(in.data)
	if err != nil {
		return err
	}
	c.leaveRoom(t.OrderID)
	return c.succeed(in, target{OrderID: t.OrderID})
}
