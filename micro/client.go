package micro

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"tiffin/wire"
)

// defaultCallTimeout bounds a call whose context has no earlier deadline. It exceeds the 2 s a service gives its
// database and the 5 s that a duplicate of an order may wait for the first.
const defaultCallTimeout = 6 * time.Second

// ClientConfig holds the knobs of a Client. The zero value works.
type ClientConfig struct {
	Timeout time.Duration         // of a call whose context has no earlier deadline, default 6s
	Metrics prometheus.Registerer // nil = none
	Traces  trace.TracerProvider  // nil = trace context is passed on, no spans are made
}

// Client calls endpoints of other services. It is safe for concurrent use.
type Client struct {
	conn     *nats.Conn
	timeout  time.Duration
	self     Actor
	tracer   trace.Tracer
	calls    *prometheus.HistogramVec
	routes   sync.Map // subject → *route
	breakers sync.Map // service name → *breaker
}

// route is what the client keeps for a subject. Subjects are constants of the program, so there are few.
type route struct {
	breaker     *breaker
	ok          prometheus.Observer
	spanOptions []trace.SpanStartOption
}

// NewClient makes a client on the connection. A call whose context has no actor is made in the name of the
// connection's role, never without an actor: that would mean the operator.
func NewClient(conn *nats.Conn, cfg ClientConfig) *Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultCallTimeout
	}
	return &Client{
		conn: conn, timeout: cfg.Timeout, tracer: tracer(cfg.Traces),
		self: Actor{Role: RoleService, ID: conn.Opts.User},
		calls: Register(cfg.Metrics, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tiffin_call_duration_seconds", Buckets: durations(),
			Help: "Time of calls to micro endpoints as the caller sees it, by outcome.",
		}, []string{"subject", "code"})),
	}
}

// Call sends req to the endpoint at subject and waits for its answer. Req and Res may be jsontext.Value, which passes
// through unread. The context's actor, request id, extra headers,
// trace and deadline travel along. It returns the endpoint's *Error; unavailable when nobody serves the subject, the
// connection is down or the service's breaker is open (nothing was done); timeout when no answer came (unknown).
func Call[Req, Res any](ctx context.Context, c *Client, subject string, req Req) (Res, error) {
	return call[Req, Res](ctx, c, subject, req, c.timeout, 1)
}

// CallWithin is Call with another limit than the client's. It spares the caller a context with a timer.
func CallWithin[Req, Res any](ctx context.Context, c *Client, subject string, req Req, limit time.Duration) (Res, error) {
	return call[Req, Res](ctx, c, subject, req, limit, 1)
}

// CallIdempotent is Call for requests that may run twice: it tries once more when nobody answered. The first attempt
// gets half the time, so that one paused instance does not use it all up.
func CallIdempotent[Req, Res any](ctx context.Context, c *Client, subject string, req Req) (Res, error) {
	return call[Req, Res](ctx, c, subject, req, c.timeout, 2)
}

func call[Req, Res any](ctx context.Context, c *Client, subject string, req Req, limit time.Duration, attempts int) (res Res, err error) {
	data, err := encode(req)
	if err != nil {
		return res, From(err)
	}
	start := time.Now()
	deadline := start.Add(limit)
	if theirs, ok := ctx.Deadline(); ok && theirs.Before(deadline) {
		deadline = theirs
	}
	to := c.route(subject)
	ctx, end := c.span(ctx, to, subject)
	answer, err := c.attempt(ctx, deadline, to, subject, data, attempts)
	if err == nil {
		err = decodeAnswer(answer, &res)
	}
	outcome, observer := "ok", to.ok
	if err != nil {
		outcome = string(CodeOf(err))
		observer = c.calls.WithLabelValues(subject, outcome)
	}
	observer.Observe(time.Since(start).Seconds())
	end(outcome)
	return res, err
}

// encode makes the request's JSON. A jsontext.Value is sent as it is: whoever passes JSON on has no use for its form.
func encode(req any) ([]byte, error) {
	if raw, ok := req.(jsontext.Value); ok {
		return raw, nil
	}
	return wire.Encode(req)
}

// decodeAnswer reads an answer, or hands a jsontext.Value over unread. It is not strict: a newer instance may answer with
// a field this one does not know.
func decodeAnswer(answer []byte, res any) error {
	if raw, ok := res.(*jsontext.Value); ok {
		*raw = answer
		return nil
	}
	if err := json.Unmarshal(answer, res); err != nil {
		return &Error{Code: CodeInternal, Message: "internal error", cause: err}
	}
	return nil
}

// attempt sends the request, again while attempts are left and nobody answered.
func (c *Client) attempt(ctx context.Context, deadline time.Time, to *route, subject string, data []byte, attempts int) ([]byte, error) {
	for ; ; attempts-- {
		until := deadline
		if attempts > 1 {
			until = deadline.Add(-time.Until(deadline) / 2)
		}
		answer, err := c.send(ctx, until, to.breaker, subject, data)
		if err == nil {
			return answer.Data, decodeError(answer)
		}
		if attempts <= 1 || ctx.Err() != nil || !time.Now().Before(deadline) || errors.Is(err, errOpen) {
			return nil, unanswered(err)
		}
		pause(ctx, 50*time.Millisecond+rand.N(100*time.Millisecond)) // an instance being replaced is back by then
	}
}

// send is one request through the breaker of its service. Any answer counts as success, also an error: a dead shard
// makes an endpoint answer "unavailable" for its regions, and must not cost the other regions their service.
func (c *Client) send(ctx context.Context, until time.Time, b *breaker, subject string, data []byte) (*nats.Msg, error) {
	began, ok := b.allow()
	if !ok {
		return nil, errOpen
	}
	answer, err := c.request(ctx, until, c.message(ctx, until, subject, data))
	if err == nil || !errors.Is(ctx.Err(), context.Canceled) {
		b.done(began, err == nil) // who did not wait for an answer has learnt nothing
	}
	return answer, err
}

// request waits for an answer. A context that cannot end, as an edge's requests have, needs none of its own with a timer
// in it: that would cost as much as sending the message.
func (c *Client) request(ctx context.Context, until time.Time, msg *nats.Msg) (*nats.Msg, error) {
	if ctx.Done() == nil {
		return c.conn.RequestMsg(msg, time.Until(until))
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return c.conn.RequestMsgWithContext(ctx, msg)
}

// message makes the request with its headers.
func (c *Client) message(ctx context.Context, until time.Time, subject string, data []byte) *nats.Msg {
	header := make(nats.Header, 5)
	actor := c.self
	if a, ok := ctx.Value(actorKey{}).(*Actor); ok {
		actor = *a
	}
	header[HeaderActor] = []string{actor.String()}
	header[HeaderDeadline] = []string{strconv.FormatInt(until.UnixMilli(), 10)}
	if id := RequestID(ctx); id != "" {
		header[HeaderRequestID] = []string{id}
	}
	if list, ok := ctx.Value(outgoingKey{}).(*outgoing); ok {
		for ; list != nil; list = list.parent {
			if _, newer := header[list.name]; !newer {
				header[list.name] = []string{list.value}
			}
		}
	}
	inject(ctx, header)
	return &nats.Msg{Subject: subject, Header: header, Data: data}
}

// unanswered turns a transport error into unavailable (it never left, nothing was done) or timeout (unknown).
func unanswered(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, nats.ErrTimeout):
		return &Error{Code: CodeTimeout, Message: "no answer in time", RetryAfter: time.Second, cause: err}
	default:
		return Unavailable(err, "service unavailable")
	}
}

// route gives what is kept for a subject.
func (c *Client) route(subject string) *route {
	if r, ok := c.routes.Load(subject); ok {
		return r.(*route)
	}
	service, _, _ := strings.Cut(subject, ".")
	b, _ := c.breakers.LoadOrStore(service, &breaker{clock: time.Now})
	r, _ := c.routes.LoadOrStore(subject, &route{
		b.(*breaker), c.calls.WithLabelValues(subject, "ok"), rpc(subject, trace.SpanKindClient)})
	return r.(*route)
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
