package realtime

import (
	"context"

	"tiffin/micro"
	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/hub"
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
		ctx, cancel := c.context()
		defer cancel()
		c.srv.log.ErrorContext(ctx, "event failed", "event", known(in.event), "error", err)
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
	f := frame.Event(hub.EventError, messageJSON(text))
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
