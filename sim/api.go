package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	requestTimeout = 10 * time.Second
	maxBody        = 4 << 20
	// patience bounds how long a request is tried while the fleet is limited, restarting or away.
	patience = 2 * time.Minute
	pause    = time.Second
	// idle is how long a connection is kept without a request, less than an edge
	// keeps it: a PATCH that crosses the edge's hanging up is not sent again.
	idle = 90 * time.Second
)

// problem is an answer that is not what was asked for: an RFC 9457 problem.
type problem struct {
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Title  string `json:"title"`
}

// Error gives the status and what the fleet said.
func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail) }

// statusOf gives the HTTP status of a refusal, 0 of any other error.
func statusOf(err error) int {
	var p *problem
	if errors.As(err, &p) {
		return p.Status
	}
	return 0
}

// api is the fleet's REST interface, shared by all who play. It slows down where the fleet says so.
type api struct {
	base string // without a slash at the end
	http *http.Client
	seen Witness // nil: nobody looks

	limited atomic.Int64 // answers 429
	failed  atomic.Int64 // answers 5xx, and requests without an answer

	connections atomic.Uint64 // sockets that were opened, which numbers them

	mu    sync.Mutex
	until map[string]time.Time // when a class of routes may be asked again
}

// newAPI makes the interface to the fleet at a URL. Connections are kept: the cast talks all the time.
func newAPI(base string, seen Witness) *api {
	return &api{
		seen: seen,
		base: strings.TrimRight(base, "/"), until: make(map[string]time.Time),
		http: &http.Client{Timeout: requestTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: idle}},
	}
}

func (a *api) close() { a.http.CloseIdleConnections() }

// class is what routes have a rate limit in common: the first part of their path.
func class(path string) string {
	first, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	first, _, _ = strings.Cut(first, "?")
	return first
}

// call is one request.
type call struct {
	method, path string
	token        string            // "" is anonymous
	account      string            // whose token it is, by user id
	city         string            // where whoever asks is; "" is nowhere
	body         any               // nil has none
	header       map[string]string // besides the usual
}

// do makes a request and reads the answer into out, unless that is nil. It repeats what was limited (after Retry-After)
// or failed for now, for a while; so only requests that may arrive twice are to be made with it. Refusals are *problem.
func (a *api) do(ctx context.Context, c call, out any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if err := a.await(ctx, class(c.path)); err != nil {
			return err
		}
		again, err := a.try(ctx, c, out)
		if again == 0 {
			return err
		}
		if wait(ctx, again) != nil {
			return err
		}
	}
}

// await waits until the class of routes may be asked.
func (a *api) await(ctx context.Context, class string) error {
	a.mu.Lock()
	until := a.until[class]
	a.mu.Unlock()
	return wait(ctx, time.Until(until))
}

// try makes a request once. again is how long to wait before the next try, 0 when there is no point in one.
func (a *api) try(ctx context.Context, c call, out any) (again time.Duration, err error) {
	req, err := a.request(ctx, c)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	res, err := a.http.Do(req)
	if err != nil {
		a.witness(c, began, 0, nil, ctx.Err() != nil)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		a.failed.Add(1)
		return pause, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		res.StatusCode = 0 // half an answer is none
	}
	a.witness(c, began, res.StatusCode, data, err != nil && ctx.Err() != nil)
	switch {
	case err != nil:
		a.failed.Add(1)
		return pause, err
	case res.StatusCode == http.StatusTooManyRequests:
		a.limited.Add(1)
		again = retryAfter(res.Header)
		a.close429(class(c.path), again)
	case res.StatusCode >= http.StatusInternalServerError:
		a.failed.Add(1)
		again = retryAfter(res.Header)
	case res.StatusCode < http.StatusBadRequest:
		if out == nil || len(data) == 0 {
			return 0, nil
		}
		return 0, json.Unmarshal(data, out)
	}
	return again, refusal(res.StatusCode, data)
}

// request makes what goes over the wire, anew for each try, since a body is read only once.
func (a *api) request(ctx context.Context, c call) (*http.Request, error) {
	var body io.Reader
	if c.body != nil {
		data, err := json.Marshal(c.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, a.base+c.path, body)
	if err != nil {
		return nil, err
	}
	if c.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	return req, nil
}

// close429 keeps everybody from asking the class before its time.
func (a *api) close429(class string, d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if until := time.Now().Add(d); until.After(a.until[class]) {
		a.until[class] = until
	}
}

// retryAfter reads the header, which the fleet gives in seconds.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 1 {
		return pause
	}
	return time.Duration(seconds) * time.Second
}

// refusal reads a problem out of an answer.
func refusal(status int, data []byte) error {
	p := &problem{}
	if err := json.Unmarshal(data, p); err != nil {
		p.Title = http.StatusText(status) // not from the fleet itself, but from something in front of it
	}
	p.Status = status
	return p
}

// wait sleeps, or returns the error of a context that ends first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
