// Package load generates HTTP load over a fixed number of connections and
// measures what came back: throughput, latency quantiles, errors and the CPU
// the servers used. It is closed-loop (each connection sends its next request
// when the last was answered) or, with a Rate, paced: then latency counts from
// when a request was due, so that a stalled server cannot hide its queue
// (coordinated omission).
package load

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Plan is one measured run.
type Plan struct {
	Connections int           // parallel connections, one request in flight on each
	Warmup      time.Duration // load whose answers are not counted
	Duration    time.Duration // measured load
	Rate        float64       // requests per second over all connections; 0 = as fast as answered
	// Limit is how many requests there are to send, those of the warm-up among
	// them; the measured time ends with the last of them. 0 = no limit.
	Limit uint64
	// Prepare fills the n-th request; it is called on the connection's own
	// goroutine and must not allocate more than it must.
	Prepare func(n uint64, req *fasthttp.Request)
	// OK tells whether an answer counts as success; nil accepts 2xx. It sees every
	// answer, those that are not counted too.
	OK func(*fasthttp.Response) bool
}

// Result is what a run measured.
type Result struct {
	Requests   uint64        `json:"requests"`
	Sent       uint64        `json:"sent"` // with those of the warm-up
	Errors     uint64        `json:"errors"`
	Throughput float64       `json:"perSecond"` // good answers per second
	P50        time.Duration `json:"p50"`
	P99        time.Duration `json:"p99"`
	Max        time.Duration `json:"max"`
	FirstError string        `json:"firstError,omitempty"`
}

// Run applies the plan to the server at addr ("127.0.0.1:3000").
func Run(ctx context.Context, addr string, p Plan) Result {
	g := &generator{plan: p, client: &fasthttp.HostClient{Addr: addr, MaxConns: p.Connections, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}}
	g.start = time.Now()
	g.from = g.start.Add(p.Warmup)
	g.until = g.from.Add(p.Duration)
	samples := make([][]time.Duration, p.Connections)
	var wg sync.WaitGroup
	for i := range p.Connections {
		wg.Go(func() { samples[i] = g.connection(ctx) })
	}
	wg.Wait()
	if end := time.Now(); end.Before(g.until) && end.After(g.from) {
		g.until = end // the limit came first
	}
	return g.result(samples)
}

// generator is the state the connections share.
type generator struct {
	plan               Plan
	client             *fasthttp.HostClient
	start, from, until time.Time
	next, sent         atomic.Uint64
	failed             atomic.Uint64
	firstError         atomic.Pointer[string]
}

// connection sends until the plan ends and returns the latencies of its good
// answers.
func (g *generator) connection(ctx context.Context) []time.Duration {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	samples := make([]time.Duration, 0, 1<<16)
	for ctx.Err() == nil {
		n := g.next.Add(1) - 1
		if g.plan.Limit > 0 && n >= g.plan.Limit {
			break
		}
		due := g.due(n)
		if due.After(g.until) {
			break
		}
		req.Reset()
		g.plan.Prepare(n, req)
		g.sent.Add(1)
		err := g.client.Do(req, res)
		now := time.Now()
		good := g.good(err, res)
		switch counts := due.After(g.from) && now.Before(g.until); {
		case counts && good:
			samples = append(samples, now.Sub(due))
		case counts:
			g.fail(err, res)
		}
	}
	return samples
}

// due is when request n should be sent: now, or its place in the pace, which
// it waits for.
func (g *generator) due(n uint64) time.Time {
	if g.plan.Rate <= 0 {
		return time.Now()
	}
	due := g.start.Add(time.Duration(float64(n) / g.plan.Rate * float64(time.Second)))
	if wait := time.Until(due); wait > 0 {
		time.Sleep(wait)
	}
	return due
}

func (g *generator) good(err error, res *fasthttp.Response) bool {
	if err == nil && g.plan.OK != nil {
		return g.plan.OK(res)
	}
	return err == nil && res.StatusCode()/100 == 2
}

func (g *generator) fail(err error, res *fasthttp.Response) {
	g.failed.Add(1)
	text := fmt.Sprintf("%d %.200s", res.StatusCode(), res.Body())
	if err != nil {
		text = err.Error()
	}
	g.firstError.CompareAndSwap(nil, &text)
}

func (g *generator) result(samples [][]time.Duration) Result {
	all := slices.Concat(samples...)
	slices.Sort(all)
	r := Result{Requests: uint64(len(all)) + g.failed.Load(), Sent: g.sent.Load(), Errors: g.failed.Load()}
	if text := g.firstError.Load(); text != nil {
		r.FirstError = *text
	}
	if len(all) == 0 {
		return r
	}
	r.Throughput = float64(len(all)) / g.until.Sub(g.from).Seconds()
	r.P50, r.P99, r.Max = quantile(all, 0.50), quantile(all, 0.99), all[len(all)-1]
	return r
}

// quantile of sorted samples, by the nearest rank.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
