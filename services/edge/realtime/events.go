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

// The events of clients.
const (
	eventAuthenticate = "authenticate"
	eventSubscribe    = "subscribe-order"
	eventUnsubscribe  = "unsubscribe-order"
	eventGetLocation  = "get-location"
	eventRider        = "rider-location-update"
	eventError        = "error"
)

// call is one event of a client. answer makes the frame of an answer, nil when the client wants none.
type call struct {
	event  string
	data   []byte // JSON
	answer func(body []byte) *frame.Frame
}

// handle carries out one event and answers it. Errors go to the client: as the answer, or as an event of their own when
// no answer is wanted.
func (c *client) handle(in call) {
	c.busy.Lock()
	defer c.busy.Unlock()
	if c.finished.Load() {
		return
	}
	ctx, cancel := c.context()
	defer cancel()
	err := c.dispatch(ctx, in)
	c.srv.metrics.events.WithLabelValues(known(in.event), outcomeOf(err)).Inc()
	if err != nil {
		c.fail(in, err)
	}
}

func (c *client) dispatch(ctx context.Context, in call) error {
	switch in.event {
	case eventSubscribe:
		return c.subscribe(ctx, in)
	case eventUnsubscribe:
		return c.unsubscribe(in)
	case eventGetLocation:
		return c.location(ctx, in)
	case eventRider:
		return c.riderLocation(ctx, in)
	case eventAuthenticate:
		return c.authenticate(in)
	default:
		return micro.E(micro.CodeInvalid, "there is no such event")
	}
}

// known keeps names that clients make up out of the metrics.
func known(event string) string {
	switch event {
	case eventSubscribe, eventUnsubscribe, eventGetLocation, eventRider, eventAuthenticate:
		return event
	default:
		return "unknown"
	}
}

func outcomeOf(err error) string {
	if err == nil {
		return "ok"
	}
	return string(micro.CodeOf(err))
}

// succeed answers with data.
func (c *client) succeed(in call, data any) error {
	f, err := answerFrame(in, data)
	if err == nil && f != nil {
		c.Send(f, nil)
	}
	return err
}

// answerFrame makes the answer {"data": ...}, nil when none is wanted.
func answerFrame(in call, data any) (*frame.Frame, error) {
	if in.answer == nil {
		return nil, nil
	}
	encoded, err := wire.Encode(data)
	if err != nil {
		return nil, err
	}
	return in.answer(append([]byte(`"data":`), encoded...)), nil
}

// fail tells the client what went wrong, in words meant for it.
func (c *client) fail(in call, err error) {
	e := micro.From(err)
	if e.Code == micro.CodeInternal {
		c.srv.log.Error("event failed", "event", known(in.event), "request_id", c.requestID, "error", err)
	}
	text := e.Message
	if len(e.Fields) > 0 {
		text = wire.Invalid(e.Fields).Error()
	}
	if in.answer == nil {
		c.Send(errorFrame(c.Form(), text), nil)
		return
	}
	c.Send(in.answer(append([]byte(`"error":`), messageJSON(text)...)), nil)
}

// errorFrame is the event error.
func errorFrame(form frame.Form, text string) *frame.Frame {
	f := frame.Event(eventError, messageJSON(text))
	f.Ensure(form)
	return f
}

func messageJSON(text string) []byte {
	data, err := wire.Encode(struct {
		Message string `json:"message"`
	}{text})
	if err != nil {
		return []byte(`{"message":"internal error"}`) // a string always encodes
	}
	return data
}

// target is the order an event is about.
type target struct {
	OrderID string `json:"orderId"`
	Since   *int64 `json:"since,omitzero"`
}

// parseTarget reads {orderId, since?} or the id itself.
func parseTarget(data []byte) (target, error) {
	var t target
	var err error
	if len(data) > 0 && data[0] == '"' {
		err = wire.Decode(data, &t.OrderID)
	} else {
		err = wire.Decode(data, &t)
	}
	switch {
	case err != nil:
		return target{}, err
	case !tracking.ValidID(t.OrderID):
		return target{}, wire.Invalid{{Field: "orderId", Message: "must be a UUID"}}
	case t.Since != nil && *t.Since < 0:
		return target{}, wire.Invalid{{Field: "since", Message: "must not be negative"}}
	}
	return t, nil
}

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

// position is the answer to get-location.
type position struct {
	OrderID           string    `json:"orderId"`
	DeliveryPartnerID string    `json:"deliveryPartnerId"`
	Latitude          float64   `json:"latitude"`
	Longitude         float64   `json:"longitude"`
	Timestamp         wire.Time `json:"timestamp"`
}

func (c *client) location(ctx context.Context, in call) error {
	t, err := parseTarget(in.data)
	if err != nil {
		return err
	}
	if ctx, err = c.reader(ctx); err != nil {
		return err
	}
	view, err := c.srv.cfg.Tracking.Get(ctx, t.OrderID)
	switch {
	case err != nil:
		return err
	case view.Location == nil:
		return micro.E(micro.CodeNotFound, "there is no location for this order now")
	}
	l := view.Location
	return c.succeed(in, position{l.OrderID, l.DeliveryPartnerID, l.Latitude, l.Longitude, l.Timestamp})
}

// riderLocation hands in a fix. It must name its order; the tracking service checks that the rider carries it.
func (c *client) riderLocation(ctx context.Context, in call) error {
	var req tracking.LocationRequest
	if err := wire.Decode(in.data, &req); err != nil {
		return err
	}
	if err := req.Validate(); err != nil {
		return err
	}
	if req.OrderID == "" {
		return wire.Invalid{{Field: "orderId", Message: "is required"}}
	}
	res, err := c.srv.cfg.Tracking.Location(ctx, req)
	if err != nil {
		return err
	}
	return c.succeed(in, res)
}
