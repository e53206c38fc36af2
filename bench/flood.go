package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"tiffin/bench/load"
)

// floodRate is how many sign-ins a second are tried, several times what all
// cores together could hash.
const floodRate = 500

// flood measures orders at a quarter of their top rate, alone and while more
// sign-ins come than could ever be answered. A hash costs a core tens of
// milliseconds: what is measured is how well they are kept from the cores that
// orders need.
func (t table) flood(ctx context.Context, rounds int, addr string, targets []target) error {
	orders := targets[slices.IndexFunc(targets, func(t target) bool { return t.route == "post" && t.who == "tiffin" })]
	for round := range rounds {
		rate := t["post tiffin"][round].Throughput / 4
		t["post quarter"] = append(t["post quarter"], outcome{Result: load.Run(ctx, addr, orders.paced(rate))})
		flooding, stop := context.WithCancel(ctx)
		var logins load.Result
		var work sync.WaitGroup
		work.Go(func() {
			logins = load.Run(flooding, addr, load.Plan{Connections: connections, Duration: 10 * time.Second, Rate: floodRate, Prepare: login, OK: refused})
		})
		under := load.Run(ctx, addr, orders.paced(rate))
		stop()
		work.Wait()
		t["post flood"] = append(t["post flood"], outcome{Result: under})
		if under.Errors > 0 || logins.Errors > 0 || logins.Requests == 0 {
			return fmt.Errorf("flood: %d orders failed (%s), %d of %d sign-ins were answered oddly (%s)",
				under.Errors, under.FirstError, logins.Errors, logins.Requests, logins.FirstError)
		}
		fmt.Printf("round %d  flood: orders p99 %.1f ms, without %.1f ms\n", round+1, ms(under.P99), ms(t["post quarter"][round].P99))
	}
	return ctx.Err()
}

// login tries a password for an address nobody has, which costs as much as any.
func login(_ uint64, req *fasthttp.Request) {
	req.SetRequestURI("http://bench/auth/login")
	req.Header.SetMethod(http.MethodPost)
	req.Header.SetContentType("application/json")
	req.SetBodyString(`{"email":"` + uuid.NewString() + `@example.com","password":"wrong-password"}`)
}

// refused is how a sign-in of the flood ends: by its password or by the limit.
func refused(res *fasthttp.Response) bool {
	return res.StatusCode() == http.StatusUnauthorized || res.StatusCode() == http.StatusTooManyRequests
}
