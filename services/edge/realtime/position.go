package realtime

import (
	"context"

	"tiffin/micro"
	"tiffin/services/tracking"
	"tiffin/wire"
)

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
	res, err := c.srv.fixes.Location(ctx, req)
	if err != nil {
		return err
	}
	return c.succeed(in, res)
}
