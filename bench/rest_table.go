package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/valyala/fasthttp"

	"tiffin/bench/load"
	"tiffin/bench/proc"
	"tiffin/bench/report"
	"tiffin/e2e/product"
)

// called is what the peers are called in the table.
var called = map[string]string{
	"bare":    "bare hop in three processes",
	"single":  "bare hop in one process",
	"express": "Express gateway and service",
}

// target is one server measured at one route.
type target struct {
	route, who, addr string
	prepare          func(uint64, *fasthttp.Request)
}

// outcome is what one run measured, and for Tiffin what a request cost.
type outcome struct {
	load.Result
	CPU effort  `json:"cpu,omitempty"` // of all servers
	WAL float64 `json:"wal,omitempty"` // bytes that PostgreSQL wrote to the log of the shard
}

// halved marks the outcomes at half of the top rate.
const halved = " half"

// table holds an outcome per route, side and round.
type table map[string][]outcome

// usedUp is what the fleet and its servers have used since they started.
type usedUp struct {
	cpu proc.Usage
	wal int64 // bytes
}

func footprint(ctx context.Context, fleet *product.Product) (u usedUp, err error) {
	conn, err := pgx.Connect(ctx, fleet.Env["POSTGRES_SHARD_A_URL"])
	if err != nil {
		return u, err
	}
	err = conn.QueryRow(ctx, `select (pg_current_wal_lsn() - '0/0')::bigint`).Scan(&u.wal)
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return u, err
	}
	u.cpu, err = proc.FamilyCPU(fleet.Pid())
	return u, err
}

// measure runs all targets once per round, in order, and each once more at half
// the rate it has just shown.
func measure(ctx context.Context, rounds int, fleet *product.Product, targets []target) (table, error) {
	t := table{}
	for round := range rounds {
		for _, target := range targets {
			before, err := footprint(ctx, fleet)
			if err != nil {
				return nil, err
			}
			r := outcome{Result: load.Run(ctx, target.addr, load.Plan{Connections: connections, Warmup: 2 * time.Second, Duration: 5 * time.Second, Prepare: target.prepare})}
			after, err := footprint(ctx, fleet)
			if err != nil {
				return nil, err
			}
			if r.Errors > 0 || r.Requests == 0 {
				return nil, fmt.Errorf("%s of %s: %d of %d requests failed: %s", target.route, target.who, r.Errors, r.Requests, r.FirstError)
			}
			fmt.Printf("round %d  %-5s %-8s %8.0f/s  p50 %6.1f ms  p99 %6.1f ms\n", round+1, target.route, target.who, r.Throughput, ms(r.P50), ms(r.P99))
			if target.who == "tiffin" {
				r.CPU, r.WAL = perOperation(after.cpu.Since(before.cpu), int(r.Sent)), float64(after.wal-before.wal)/float64(r.Sent)
				fmt.Printf("         %s, %.0f bytes of PostgreSQL's log\n", r.CPU, r.WAL)
			}
			half := load.Run(ctx, target.addr, target.paced(r.Throughput/2))
			fmt.Printf("         at half of it  p50 %6.1f ms  p99 %6.1f ms\n", ms(half.P50), ms(half.P99))
			key := target.route + " " + target.who
			t[key], t[key+halved] = append(t[key], r), append(t[key+halved], outcome{Result: half})
		}
	}
	return t, ctx.Err()
}

// paced is load at a fixed rate, in requests per second.
func (t target) paced(rate float64) load.Plan {
	return load.Plan{Connections: connections, Warmup: time.Second, Duration: 5 * time.Second, Rate: rate, Prepare: t.prepare}
}

// p99 in milliseconds, round by round.
func (t table) p99(name, key string, goal report.Goal) report.Figure {
	rounds := make([]float64, len(t[key]))
	for i, r := range t[key] {
		rounds[i] = ms(r.P99)
	}
	return report.New(name, "", "ms", goal, rounds, t[key])
}

// tails is p99 at half of the top rate beside a peer's at half of its own, round
// by round.
func (t table) tails(name, route, peer string) report.Figure {
	ours, theirs := t[route+" tiffin"+halved], t[route+" "+peer+halved]
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = float64(ours[i].P99) / float64(theirs[i].P99)
	}
	return report.New(name, called[peer], "×", report.Goal{}, ratios, theirs)
}

// cost of a request at the top rate, round by round.
func (t table) cost(name, route string) report.Figure {
	var rounds []float64
	for _, r := range t[route+" tiffin"] {
		rounds = append(rounds, r.CPU.total())
	}
	return report.New(name, "", "µs", report.Goal{}, rounds, nil)
}

// ratio of throughputs, round by round.
func (t table) ratio(name, route, peer string, goal report.Goal) report.Figure {
	const who = "tiffin"
	ours, theirs := t[route+" "+who], t[route+" "+peer]
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i].Throughput / theirs[i].Throughput
	}
	return report.New(name, called[peer], "×", goal, ratios, map[string][]outcome{who: ours, peer: theirs})
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
