package ordertest

import (
	"context"
	"sync"
	"testing"

	"tiffin/micro"
	"tiffin/services/tracking"
)

// Hints is a tracking service that notes what it is told.
type Hints struct {
	mu   sync.Mutex
	said []string
	hang chan struct{}
}

// ServeHints runs the service on a bed until the test ends.
func ServeHints(t testing.TB, b *Bed) *Hints {
	t.Helper()
	h := &Hints{}
	service := micro.NewService(micro.ServiceConfig{
		Name: tracking.ServiceName, Version: tracking.ServiceVersion, Conn: b.NATS.Conn(tracking.ServiceName),
	})
	micro.Handle(service, tracking.VerbCarry, "Note a carry", func(ctx context.Context, req tracking.CarryRequest) (tracking.Done, error) {
		return tracking.Done{}, h.note(ctx, "carry "+req.Phase+" "+req.OrderID+" "+req.DeliveryPartnerID)
	})
	micro.Handle(service, tracking.VerbRelease, "Note a release", func(ctx context.Context, req tracking.ReleaseRequest) (tracking.Done, error) {
		return tracking.Done{}, h.note(ctx, "release "+req.OrderID+" "+req.DeliveryPartnerID)
	})
	Run(t, service)
	return h
}

// Hang makes every hint from now on wait until the caller has lost patience.
func (h *Hints) Hang() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hang = make(chan struct{})
}

// Said lists the hints so far: "carry <phase> <order> <rider>" and "release <order> <rider>".
func (h *Hints) Said() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.said...)
}

// note writes a hint down, if it came from a service: a user's request must not be able to hide or show a rider.
func (h *Hints) note(ctx context.Context, what string) error {
	if micro.ActorFrom(ctx).Role != micro.RoleService {
		return micro.Forbidden("hints are for services")
	}
	h.mu.Lock()
	hang := h.hang
	h.said = append(h.said, what)
	h.mu.Unlock()
	if hang != nil {
		<-ctx.Done()
	}
	return ctx.Err()
}
