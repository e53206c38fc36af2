package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tiffin/bench/proc"
	"tiffin/e2e/product"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/tracking"
	"tiffin/wire"
)

const (
	fixRate = 1_000 // a second, of all riders of a town together
	fixFor  = 5 * time.Second
)

// carriers are riders of a town, each with an order.
type carriers struct {
	town *town
	jobs []string
}

// flatFixes hands in fixes at the same rate for each town in turn, by as many
// riders as it has, as an edge does.
func flatFixes(ctx context.Context, s stage, fleet *product.Product, towns []*town, c *cost) (err error) {
	ops, err := micro.Connect(micro.ConnConfig{URL: fleet.Env["NATS_URL"], Role: "ops", Password: fleet.Env["NATS_OPS_PASSWORD"]})
	if err != nil {
		return err
	}
	defer ops.Close()
	all := make([]carriers, len(towns))
	for i, t := range towns {
		if all[i], err = mount(ctx, tracking.NewClient(micro.NewClient(ops, micro.ClientConfig{})), t); err != nil {
			return err
		}
	}
	edge, err := micro.Connect(micro.ConnConfig{URL: fleet.Env["NATS_URL"], Role: "edge", Password: fleet.Env["NATS_EDGE_PASSWORD"]})
	if err != nil {
		return err
	}
	defer edge.Close()
	batcher := tracking.NewBatcher(tracking.NewClient(micro.NewClient(edge, micro.ClientConfig{})))
	running, stop := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- batcher.Run(running) }()
	defer func() { stop(); err = errors.Join(err, <-ran) }()
	for round := range s.Rounds {
		for i, crew := range all {
			took, cpu, err := crew.ride(ctx, fleet, batcher, round)
			if err != nil {
				return fmt.Errorf("%s: %w", crew.town.city, err)
			}
			p50, p99 := quantiles(took)
			fmt.Printf("fix         %3d×  %s  p50 %6.2f ms  p99 %6.2f ms\n", scales[i], cpu, ms(p50), ms(p99))
			c.add(i, cpu.total(), ms(p50), ms(p99))
		}
	}
	return nil
}

// mount tells tracking that every rider of a town carries an order, as delivery
// does after an acceptance.
func mount(ctx context.Context, hints *tracking.Client, t *town) (c carriers, err error) {
	c = carriers{t, make([]string, len(t.riders))}
	at := tracking.Point{Latitude: t.at.Latitude, Longitude: t.at.Longitude}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connections)
	for i, rider := range t.riders {
		c.jobs[i] = uuid.NewString()
		group.Go(func() error {
			return hints.Carry(ctx, tracking.CarryRequest{
				OrderID: c.jobs[i], DeliveryPartnerID: rider, Phase: tracking.PhasePickedUp, Restaurant: &at, Dropoff: &at,
			})
		})
	}
	return c, group.Wait()
}

// ride hands in one fix after the other, of another rider each, whatever the
// answers do. Riders of a large town send once, those of a small one several
// times; a round later they have moved on a little.
func (c carriers) ride(ctx context.Context, fleet *product.Product, batcher *tracking.Batcher, round int) ([]time.Duration, effort, error) {
	took := make([]time.Duration, int(fixFor.Seconds()*fixRate))
	before, err := proc.FamilyCPU(fleet.Pid())
	if err != nil {
		return nil, nil, err
	}
	group, inner := errgroup.WithContext(ctx)
	start := time.Now()
	for i := range took {
		due := start.Add(time.Duration(i) * time.Second / fixRate)
		time.Sleep(time.Until(due))
		group.Go(func() error {
			rider := (round*len(took) + i) % len(c.town.riders)
			latitude, longitude := c.town.at.Latitude+float64(round)*0.001, c.town.at.Longitude
			at := wire.At(due)
			res, err := batcher.Location(micro.WithActor(inner, micro.Actor{Role: auth.RoleRider, ID: c.town.riders[rider]}), tracking.LocationRequest{
				OrderID: c.jobs[rider], DeliveryPartnerID: c.town.riders[rider], Latitude: &latitude, Longitude: &longitude, Timestamp: &at,
			})
			if err == nil && !res.Accepted {
				err = errors.New(res.Reason)
			}
			took[i] = time.Since(due)
			return err
		})
	}
	err = group.Wait()
	after, cpuErr := proc.FamilyCPU(fleet.Pid())
	return slices.Clone(took), perOperation(after.Since(before), len(took)), errors.Join(err, cpuErr)
}
