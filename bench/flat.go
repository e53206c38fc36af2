package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"tiffin/bench/chart"
	"tiffin/bench/proc"
	"tiffin/bench/report"
	"tiffin/bench/swarm"
	"tiffin/e2e/product"
	"tiffin/services/auth"
	"tiffin/services/auth/token"
)

// The data at 1×: riders at work and orders of the past in a city, and
// connections at an edge. Each is measured at 10× and 100× as well.
const (
	baseRiders, baseOrders = 1_000, 10_000
	baseConnections        = 100
)

// scales are how many times the data a cost is measured with.
var scales = []int{1, 10, 100}

// pictures is where the lines are drawn.
const pictures = "docs/performance"

// cost is what one thing took, round by round, at each scale.
type cost struct {
	cpu      [][]float64 // µs of all processes of the fleet
	p50, p99 [][]float64 // ms
}

func newCost() *cost {
	n := len(scales)
	return &cost{make([][]float64, n), make([][]float64, n), make([][]float64, n)}
}

func (c *cost) add(scale int, cpu, p50, p99 float64) {
	c.cpu[scale], c.p50[scale], c.p99[scale] = append(c.cpu[scale], cpu), append(c.p50[scale], p50), append(c.p99[scale], p99)
}

// flatSuite measures what an order, a fix and a connection cost with 1×, 10×
// and 100× the data, and draws the lines: they are to be flat. The three cities
// are on shards of one fleet and are measured in turn.
func flatSuite(ctx context.Context, s stage) (figures []report.Figure, err error) {
	fleet, router, err := startTowns(s, "flat", nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, fleet.Stop()) }()
	towns := make([]*town, len(scales))
	for i, at := range []place{sanFrancisco, newYork, houston} {
		if towns[i], err = populate(ctx, fleet, router, at, scales[i]*baseRiders, scales[i]*baseOrders); err != nil {
			return nil, err
		}
	}
	order, fix, connection := newCost(), newCost(), newCost()
	if err := flatOrders(ctx, s, fleet, towns, order); err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	if err := flatFixes(ctx, s, fleet, towns, fix); err != nil {
		return nil, fmt.Errorf("fixes: %w", err)
	}
	if err := flatConnections(ctx, s, fleet, towns[0], connection); err != nil {
		return nil, fmt.Errorf("connections: %w", err)
	}
	return flatFigures(map[string]*cost{"order": order, "fix": fix, "connection": connection})
}

// flatFigures draws the lines and compares the ends of each.
func flatFigures(costs map[string]*cost) (figures []report.Figure, err error) {
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		return nil, err
	}
	for _, f := range []struct{ name, of, latency string }{
		{"order", "riders and past orders in the city, 1× = 1 000 and 10 000", "201 → offered, ms"},
		{"fix", "riders carrying an order, 1× = 1 000", "handed in → accepted, ms"},
		{"connection", "connections open at the edge, 1× = 100", "connect → subscribed, ms"},
	} {
		c := costs[f.name]
		picture := chart.Chart{Title: "Cost of one " + f.name, XLabel: f.of, Panels: []chart.Panel{
			{Title: "processor time, µs", Lines: []chart.Line{{Name: "CPU", Points: c.cpu}}},
			{Title: f.latency, Lines: []chart.Line{{Name: "p50", Points: c.p50}, {Name: "p99", Points: c.p99}}},
		}}
		for _, n := range scales {
			picture.X = append(picture.X, fmt.Sprintf("%d×", n))
		}
		if err := os.WriteFile(filepath.Join(pictures, "flat-"+f.name+".svg"), []byte(picture.SVG()), 0o644); err != nil {
			return nil, err
		}
		figures = append(figures,
			report.New("processor time of one "+f.name+", 100× the data", "1×", "×", report.Goal{AtMost: 2}, ends(c.cpu), c.cpu),
			report.New("latency of one "+f.name+", p50, 100× the data", "1×", "×", report.Goal{AtMost: 2}, ends(c.p50), c.p50))
	}
	return figures, nil
}

// ends divides the last scale by the first, round by round.
func ends(points [][]float64) []float64 {
	ratios := make([]float64, len(points[0]))
	for i := range ratios {
		ratios[i] = points[len(points)-1][i] / points[0][i]
	}
	return ratios
}

// flatOrders has orders placed in each town in turn.
func flatOrders(ctx context.Context, s stage, fleet *product.Product, towns []*town, c *cost) error {
	o, err := openOrders(ctx, fleet)
	if err != nil {
		return err
	}
	defer o.close()
	for range s.Rounds {
		for i, t := range towns {
			r, err := o.flow(ctx, t)
			if err != nil {
				return fmt.Errorf("%s: %w", t.city, err)
			}
			fmt.Printf("order       %3d×  %s  p50 %6.2f ms  p99 %6.2f ms\n", scales[i], r.CPU, r.OfferP50, r.OfferP99)
			c.add(i, r.CPU.total(), r.OfferP50, r.OfferP99)
		}
	}
	return nil
}

const (
	// probes is how many connections are opened and closed again beside those that stay.
	probes = 200
	// dialers open them at a time.
	dialers = 4
)

// flatConnections opens connections that follow an order beside ever more that
// do so already.
func flatConnections(ctx context.Context, s stage, fleet *product.Product, t *town, c *cost) error {
	var stay []*swarm.Conn
	defer func() {
		for _, conn := range stay {
			conn.Close()
		}
	}()
	// Somebody else each: the connections of one account are bounded, and who may see the order of another is an
	// administrator.
	signer := token.NewSigner(fleet.Env["JWT_SECRET"], time.Hour)
	join := func(s *server, order int) (*swarm.Conn, error) {
		raw, _, err := signer.Sign(uuid.NewString(), auth.RoleAdmin, "bench")
		if err != nil {
			return nil, err
		}
		return socketIO(raw)(s, order)
	}
	edge := &server{name: "tiffin", addr: fleet.Edge[len("http://"):], join: join, crowd: &crowd{orders: make([]string, rooms)}}
	for i := range edge.crowd.orders {
		edge.crowd.orders[i] = t.shop.order
	}
	for i, scale := range scales {
		more, err := edge.follow(scale*baseConnections - len(stay))
		if err != nil {
			return err
		}
		stay = append(stay, more...)
		for range s.Rounds {
			took, cpu, err := probe(ctx, fleet, edge)
			if err != nil {
				return err
			}
			p50, p99 := quantiles(took)
			fmt.Printf("connection  %3d×  %s  p50 %6.2f ms  p99 %6.2f ms\n", scale, cpu, ms(p50), ms(p99))
			c.add(i, cpu.total(), ms(p50), ms(p99))
		}
	}
	return nil
}

// probe opens connections, some at a time, and closes them again.
func probe(ctx context.Context, fleet *product.Product, edge *server) (took []time.Duration, cpu effort, err error) {
	before, err := proc.FamilyCPU(fleet.Pid())
	if err != nil {
		return nil, nil, err
	}
	type opened struct {
		took []time.Duration
		err  error
	}
	results := make(chan opened, dialers)
	for range dialers {
		go func() {
			var r opened
			for n := 0; n < probes/dialers && r.err == nil && ctx.Err() == nil; n++ {
				began := time.Now()
				var conn *swarm.Conn
				if conn, r.err = edge.join(edge, 0); r.err == nil {
					r.took = append(r.took, time.Since(began))
					conn.Close()
				}
			}
			results <- r
		}()
	}
	for range dialers {
		r := <-results
		took, err = append(took, r.took...), errors.Join(err, r.err)
	}
	after, cpuErr := proc.FamilyCPU(fleet.Pid())
	return took, perOperation(after.Since(before), probes), errors.Join(err, cpuErr, ctx.Err())
}
