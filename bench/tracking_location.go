package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"tiffin/bench/report"
	"tiffin/bench/swarm"
	"tiffin/e2e/product"
)

// moves is how many positions of one rider are timed, moveEvery how far apart.
const (
	moves     = 300
	moveEvery = 20 * time.Millisecond
)

// locationPart measures the way in: how long a position takes from the rider
// to the watching customer in an idle fleet, and how many a second a fleet
// takes in, beside what Redis alone could store and publish.
func locationPart(ctx context.Context, s stage) (figures []report.Figure, err error) {
	c, err := gather(ctx, s, bothCores)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	figures, err = c.timeMoves(ctx)
	if err != nil {
		return nil, err
	}
	f, err := c.hireFleet(ctx)
	if err != nil {
		return nil, err
	}
	defer f.swarm.Close()
	options, err := redis.ParseURL(c.Env["REDIS_URL"])
	if err != nil {
		return nil, err
	}
	options.PoolSize = 2
	client := redis.NewClient(options)
	defer client.Close()
	var ratios, batched, ours, inside, raw []float64
	for range s.Rounds {
		taken, err := f.drive(ctx, 5*time.Second)
		if err != nil {
			return nil, err
		}
		handed, err := f.handIn(ctx, c.Env, 5*time.Second)
		if err != nil {
			return nil, err
		}
		ceiling, err := storeAndPublish(ctx, client, c.orders, 3*time.Second)
		if err != nil {
			return nil, err
		}
		fmt.Printf("locations accepted %8.0f/s over sockets %8.0f/s from an edge   raw Redis %8.0f/s\n", taken, handed, ceiling)
		ours, inside, raw = append(ours, taken), append(inside, handed), append(raw, ceiling)
		ratios, batched = append(ratios, taken/ceiling), append(batched, handed/ceiling)
	}
	return append(figures, report.New("locations accepted/s over sockets", "raw SET EX + PUBLISH", "×", report.Goal{AtLeast: 0.3},
		ratios, map[string][]float64{"tiffin": ours, "raw": raw}),
		report.New("locations accepted/s from an edge", "raw SET EX + PUBLISH", "×", report.Goal{AtLeast: 0.3},
			batched, map[string][]float64{"tiffin": inside, "raw": raw})), nil
}

// ride is a rider who carries an order, and a customer who watches.
type ride struct {
	order   string
	rider   *product.Person
	watcher *swarm.Conn
	pedals  *swarm.Conn // the rider's socket
	steps   int         // that were ridden
}

// timeMoves times positions handed in by PATCH and over the rider's socket,
// from before the request to the customer's socket: more than what is asked
// for, which begins with the acceptance.
func (c *crowd) timeMoves(ctx context.Context) ([]report.Figure, error) {
	r, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer r.watcher.Close()
	defer r.pedals.Close()
	ways := []struct {
		name string
		send func(latitude, longitude float64) error
		took latencies
	}{
		{name: "PATCH", send: func(latitude, longitude float64) error {
			_, err := r.rider.Want(ctx, http.StatusOK, "PATCH", "/delivery/"+r.rider.ID()+"/location", product.Object{"latitude": latitude, "longitude": longitude})
			return err
		}},
		{name: "socket", send: func(latitude, longitude float64) error {
			return r.pedals.Send(fmt.Appendf(nil, `42["rider-location-update",{"orderId":"%s","deliveryPartnerId":"%s","latitude":%v,"longitude":%v}]`,
				r.order, r.rider.ID(), latitude, longitude))
		}},
	}
	for range c.stage.Rounds {
		for i := range ways {
			if err := ways[i].took.add("by "+ways[i].name, func() ([]time.Duration, error) { return r.move(ways[i].send) }); err != nil {
				return nil, err
			}
		}
	}
	var figures []report.Figure
	for _, w := range ways {
		figures = append(figures,
			report.New("position by "+w.name+" → customer's socket, idle, p50", "", "ms", report.Goal{AtMost: 2}, w.took.p50, nil),
			report.New("position by "+w.name+" → customer's socket, idle, p99", "", "ms", report.Goal{AtMost: 10}, w.took.p99, nil))
	}
	return figures, nil
}

// move hands in positions, each when the customer has seen the one before.
func (r *ride) move(send func(latitude, longitude float64) error) (took []time.Duration, err error) {
	for range moves {
		time.Sleep(moveEvery)
		r.steps++
		latitude := sanFrancisco.at.Latitude + float64(r.steps)/1e6
		began := time.Now()
		sent := make(chan error, 1)
		go func() { sent <- send(latitude, sanFrancisco.at.Longitude) }()
		if err := until(r.watcher, []byte(`"latitude":`+strconv.FormatFloat(latitude, 'f', -1, 64)+",")); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
		if err := <-sent; err != nil {
			return nil, err
		}
	}
	return took, nil
}

// until waits for a message with the text, answering heartbeats.
func until(c *swarm.Conn, text []byte) error {
	for {
		payload, err := c.Next()
		if err != nil {
			return err
		}
		if bytes.Contains(payload, text) {
			return nil
		}
		if err := heartbeat(c, payload); err != nil {
			return err
		}
	}
}

// begin has a rider accept an order and its customer watch.
func (c *crowd) begin(ctx context.Context) (*ride, error) {
	rider, err := c.Register(ctx, "delivery_partner", "San Francisco")
	if err != nil {
		return nil, err
	}
	r := &ride{rider: rider}
	home := "/delivery/" + rider.ID()
	if _, err := rider.Want(ctx, http.StatusOK, "PATCH", home+"/location", product.Object{"latitude": 37.7749, "longitude": -122.4194}); err != nil {
		return nil, err
	}
	if _, err := rider.Want(ctx, http.StatusOK, "PATCH", home+"/availability", product.Object{"isAvailable": true}); err != nil {
		return nil, err
	}
	for tries := 0; ; tries++ {
		status, assignment, err := rider.Do(ctx, "POST", home+"/accept", nil)
		if err != nil {
			return nil, err
		}
		if status == http.StatusOK {
			r.order, _ = assignment["orderId"].(string)
			break
		}
		if tries == 100 {
			return nil, fmt.Errorf("no order was offered: %v", assignment)
		}
		time.Sleep(50 * time.Millisecond)
	}
	edge := &server{addr: c.Edge[len("http://"):], crowd: c}
	if r.watcher, err = socketIO(c.tokens...)(edge, slices.Index(c.orders, r.order)); err != nil {
		return nil, err
	}
	r.pedals, err = connectSocketIO(edge.addr, rider.Token)
	return r, err
}

// storeAndPublish is the ceiling: what Redis stores and publishes in pipelines
// of 128 from two connections, with nothing judged.
func storeAndPublish(ctx context.Context, client *redis.Client, orders []string, d time.Duration) (perSecond float64, err error) {
	const depth, connections = 128, 2
	until := time.Now().Add(d)
	counts, errs := make([]int, connections), make(chan error, connections)
	for worker := range connections {
		go func() {
			for n := 0; time.Now().Before(until); n += depth {
				counts[worker] = n
				_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
					for i := range depth {
						pos := position{id: orders[(n+i)%len(orders)], at: until, sent: until}
						channel, message := liveMessage(pos)
						p.Set(ctx, "bench:"+pos.id, pos.data(), time.Hour)
						p.Publish(ctx, "bench:"+channel, message)
					}
					return nil
				})
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range connections {
		err = errors.Join(err, <-errs)
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / d.Seconds(), err
}
