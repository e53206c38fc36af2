package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tiffin/bench/swarm"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/token"
	"tiffin/services/tracking"
	"tiffin/wire"
)

// ridersAtOnce is how many riders send as fast as they are answered.
const ridersAtOnce = 1000

// riders is a fleet of riders on their bicycles, each with a socket.
type riders struct {
	swarm *swarm.Swarm
	ids   []string
	jobs  []string    // the orders they carry
	last  []time.Time // of each one's newest fix

	paused   []*swarm.Conn // who were answered and wait for the next drive
	driving  bool
	counting bool
	accepted int
	err      error
}

// hireFleet connects riders who carry an order each. Tracking is told so by
// the hint that delivery gives it; to register and dispatch a thousand would
// take minutes of hashed passwords and add nothing to what is measured.
func (c *crowd) hireFleet(ctx context.Context) (*riders, error) {
	ops, err := micro.Connect(micro.ConnConfig{URL: c.Env["NATS_URL"], Role: "ops", Password: c.Env["NATS_OPS_PASSWORD"]})
	if err != nil {
		return nil, err
	}
	defer ops.Close()
	hints := tracking.NewClient(micro.NewClient(ops, micro.ClientConfig{}))
	signer := token.NewSigner(c.Env["JWT_SECRET"], time.Hour)
	f := &riders{last: make([]time.Time, ridersAtOnce)}
	kitchen, door := tracking.Point{Latitude: 37.7749, Longitude: -122.4194}, tracking.Point{Latitude: 37.7849, Longitude: -122.4094}
	var conns []*swarm.Conn
	for i := range ridersAtOnce {
		f.ids, f.jobs = append(f.ids, uuid.NewString()), append(f.jobs, uuid.NewString())
		err := hints.Carry(ctx, tracking.CarryRequest{
			OrderID: f.jobs[i], DeliveryPartnerID: f.ids[i], Phase: tracking.PhasePickedUp, Restaurant: &kitchen, Dropoff: &door,
		})
		if err != nil {
			return nil, err
		}
		raw, _, err := signer.Sign(f.ids[i], auth.RoleRider, "bench")
		if err != nil {
			return nil, err
		}
		conn, err := connectSocketIO(c.Edge[len("http://"):], raw)
		if err != nil {
			return nil, err
		}
		conn.ID = i
		conns = append(conns, conn)
	}
	f.paused = conns
	f.swarm, err = swarm.New(conns)
	return f, err
}

// next is the time of a rider's next fix.
func (f *riders) next(rider int) time.Time {
	at := time.Now().Truncate(time.Millisecond)
	if !at.After(f.last[rider]) {
		at = f.last[rider].Add(time.Millisecond)
	}
	f.last[rider] = at
	return at
}

// handIn counts the fixes a second that tracking takes in from an edge, over
// NATS and without sockets: what is left of it when those cost nothing.
func (f *riders) handIn(ctx context.Context, env map[string]string, d time.Duration) (perSecond float64, err error) {
	edge, err := micro.Connect(micro.ConnConfig{URL: env["NATS_URL"], Role: "edge", Password: env["NATS_EDGE_PASSWORD"]})
	if err != nil {
		return 0, err
	}
	defer edge.Close()
	batcher := tracking.NewBatcher(tracking.NewClient(micro.NewClient(edge, micro.ClientConfig{})))
	running, stop := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- batcher.Run(running) }()
	until := time.Now().Add(d)
	var accepted atomic.Int64
	g, inner := errgroup.WithContext(ctx)
	for rider := range f.ids {
		g.Go(func() error {
			latitude, longitude, heading, speed := 37.774912, -122.419415, 271.5, 6.25
			as := micro.WithActor(inner, micro.Actor{Role: auth.RoleRider, ID: f.ids[rider]})
			for time.Now().Before(until) {
				at := wire.At(f.next(rider))
				res, err := batcher.Location(as, tracking.LocationRequest{
					OrderID: f.jobs[rider], DeliveryPartnerID: f.ids[rider], Latitude: &latitude, Longitude: &longitude,
					Timestamp: &at, Heading: &heading, Speed: &speed,
				})
				if err == nil && !res.Accepted {
					err = errors.New(res.Reason)
				}
				if err != nil {
					return fmt.Errorf("rider %d: %w", rider, err)
				}
				accepted.Add(1)
			}
			return nil
		})
	}
	err = g.Wait()
	stop()
	return float64(accepted.Load()) / d.Seconds(), errors.Join(err, <-ran)
}

// send hands in the next fix of a rider, who waits for the answer.
func (f *riders) send(c *swarm.Conn) error {
	at := f.next(c.ID)
	return c.Send(fmt.Appendf(nil, `420["rider-location-update",{"orderId":"%s","deliveryPartnerId":"%s","latitude":37.774912,"longitude":-122.419415,"timestamp":"%s","heading":271.5,"speed":6.25}]`,
		f.jobs[c.ID], f.ids[c.ID], at.UTC().Format("2006-01-02T15:04:05.000Z")))
}

// drive counts the fixes that are accepted in a while, after a second of
// warming up, per second. In the end all riders have their answers and wait.
func (f *riders) drive(ctx context.Context, d time.Duration) (perSecond float64, err error) {
	f.accepted, f.counting, f.driving = 0, false, true
	for _, c := range f.paused {
		err = errors.Join(err, f.send(c))
	}
	f.paused = nil
	from := time.Now().Add(time.Second)
	until := from.Add(d)
	for now := time.Now(); now.Before(until) && err == nil && f.err == nil && ctx.Err() == nil; now = time.Now() {
		f.counting = now.After(from)
		err = f.swarm.Poll(10*time.Millisecond, f.answered)
	}
	f.driving, f.counting = false, false
	for now := time.Now(); len(f.paused) < len(f.ids) && time.Since(now) < 5*time.Second && err == nil && f.err == nil; {
		err = f.swarm.Poll(10*time.Millisecond, f.answered)
	}
	return float64(f.accepted) / d.Seconds(), errors.Join(err, f.err, ctx.Err())
}

// answered takes a message of the server; after an answer, the next fix
// follows.
func (f *riders) answered(c *swarm.Conn, payload []byte) {
	switch {
	case bytes.HasPrefix(payload, []byte("430")) && bytes.Contains(payload, []byte(`"accepted":true`)):
		if f.counting {
			f.accepted++
		}
		if !f.driving {
			f.paused = append(f.paused, c)
			return
		}
		f.err = f.send(c)
	case len(payload) <= len("{}"):
		f.err = heartbeat(c, payload)
	default:
		f.err = fmt.Errorf("rider %d: %s", c.ID, payload)
	}
}
