package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"tiffin/bench/proc"
	"tiffin/bench/swarm"
)

// delivery is what was measured of one server at one rate.
type delivery struct {
	Wanted    float64       `json:"wanted"` // deliveries per second that were published
	PerSecond float64       `json:"perSecond"`
	CPU       float64       `json:"cpu"`  // cores the server used
	Load      float64       `json:"load"` // cores the load generator used
	P50       time.Duration `json:"p50"`
	P99       time.Duration `json:"p99"`
	Age       time.Duration `json:"age"` // of the newest position a client has, p99
}

// pace is how positions are published.
type pace struct {
	Rate    float64 // deliveries per second; 0: the next of an order when the last has reached everybody
	Warmup  time.Duration
	Measure time.Duration
}

// audience is the clients of one server.
type audience struct {
	server *server
	swarm  *swarm.Swarm
	pub    *publisher
	size   int         // clients of each order
	others []*audience // who are not to be forgotten while this one is played to

	heard       time.Time // when the others last were
	from, until time.Time
	samples     []time.Duration
	got         []int   // clients of each order that have its newest position
	ready       []int   // orders whose newest position has reached everybody
	newest      []int64 // of each client, when it was sent, in µs
	ages        []time.Duration
	err         error
}

// attend connects the clients of a server. They stay until the audience is
// closed.
func (s *server) attend(clients int) (*audience, error) {
	conns, err := s.follow(clients)
	if err != nil {
		return nil, err
	}
	a := &audience{server: s, size: clients / rooms, newest: make([]int64, clients), got: make([]int, rooms)}
	if a.swarm, err = swarm.New(conns); err != nil {
		return nil, err
	}
	a.pub, err = s.publisher()
	return a, err
}

// play publishes at the pace given while the clients listen.
func (a *audience) play(ctx context.Context, p pace) (delivery, error) {
	start := time.Now()
	a.from = start.Add(p.Warmup)
	a.until = a.from.Add(p.Measure)
	a.samples, a.ages, a.ready = a.samples[:0], a.ages[:0], a.ready[:0]
	for order := range rooms {
		a.got[order], a.ready = 0, append(a.ready, order)
	}
	var used, spent [2]time.Duration
	var published int
	for phase := 0; ctx.Err() == nil; {
		now := time.Now()
		if phase == 0 && now.After(a.from) || phase == 1 && now.After(a.until) {
			var err error
			if used[phase], err = proc.CPU(a.server.pid); err != nil {
				return delivery{}, err
			}
			if spent[phase], err = proc.CPU(os.Getpid()); err != nil {
				return delivery{}, err
			}
			if phase++; phase == 2 {
				break
			}
		}
		if p.Rate > 0 {
			a.publishDue(start, &published, p.Rate/float64(a.size), now)
		} else {
			a.publishReady(now)
		}
		if err := a.pub.flush(); err != nil {
			return delivery{}, err
		}
		if err := a.swarm.Poll(time.Millisecond, a.receive); err != nil {
			return delivery{}, err
		}
		if a.err != nil {
			return delivery{}, a.err
		}
		if phase == 1 && p.Rate > 0 {
			a.look(now)
		}
		if a.heard.Before(now.Add(-time.Second)) {
			a.heard = now
			for _, other := range a.others {
				if err := other.idle(0); err != nil {
					return delivery{}, err
				}
			}
		}
	}
	d := delivery{
		Wanted: p.Rate, PerSecond: float64(len(a.samples)) / p.Measure.Seconds(),
		CPU: (used[1] - used[0]).Seconds() / p.Measure.Seconds(), Load: (spent[1] - spent[0]).Seconds() / p.Measure.Seconds(),
	}
	d.P50, d.P99 = quantiles(a.samples)
	_, d.Age = quantiles(a.ages)
	return d, ctx.Err()
}

// publishDue publishes what is due by now, order after order. A position
// counts from when it was due, so that no stall can hide.
func (a *audience) publishDue(start time.Time, published *int, rate float64, now time.Time) {
	for ; ; *published++ {
		due := start.Add(time.Duration(float64(*published) / rate * float64(time.Second)))
		if due.After(now) {
			return
		}
		a.pub.add(*published%rooms, due)
	}
}

// publishReady publishes the next position of every order whose last one has
// reached all its clients: as fast as the server can without leaving any out.
func (a *audience) publishReady(now time.Time) {
	for _, order := range a.ready {
		a.got[order] = 0
		a.pub.add(order, now)
	}
	a.ready = a.ready[:0]
}

// receive takes one message of a client, in which a server may have put
// several positions.
func (a *audience) receive(c *swarm.Conn, payload []byte) {
	if err := heartbeat(c, payload); err != nil {
		a.err = err
	}
	now := time.Now()
	for {
		at := bytes.Index(payload, []byte(sentAt))
		if at < 0 {
			return
		}
		payload = payload[at+len(sentAt):]
		sent := int64(0)
		for _, digit := range payload {
			if digit < '0' || digit > '9' {
				break
			}
			sent = sent*10 + int64(digit-'0')
		}
		a.newest[c.ID] = sent
		order := c.ID % rooms
		if a.got[order]++; a.got[order] == a.size {
			a.ready = append(a.ready, order)
		}
		if due := time.UnixMicro(sent); now.Before(a.until) && !now.Before(a.from) {
			a.samples = append(a.samples, now.Sub(due))
		}
	}
}

// look notes how old the newest positions of some clients are; in turn, all
// are looked at.
func (a *audience) look(now time.Time) {
	for i := len(a.ages) % 7; i < len(a.newest); i += 97 {
		if sent := a.newest[i]; sent > 0 {
			a.ages = append(a.ages, now.Sub(time.UnixMicro(sent)))
		}
	}
}

// idle answers heartbeats for a while, or those that have come.
func (a *audience) idle(d time.Duration) error {
	wait := min(d, 100*time.Millisecond)
	for until := time.Now().Add(d); ; {
		err := a.swarm.Poll(wait, a.receive)
		if err == nil {
			err = a.err
		}
		if err != nil {
			return fmt.Errorf("%s: %w", a.server.name, err)
		}
		if !time.Now().Before(until) {
			return nil
		}
	}
}

// close disconnects everybody.
func (a *audience) close() {
	a.pub.conn.Close()
	a.swarm.Close()
}

// quantiles gives the median and the 99th percentile, 0 of nothing.
func quantiles(samples []time.Duration) (p50, p99 time.Duration) {
	if len(samples) == 0 {
		return 0, 0
	}
	slices.Sort(samples)
	return samples[len(samples)/2], samples[len(samples)*99/100]
}
