package micro

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"
	"go.opentelemetry.io/otel/trace"

	"tiffin/wire"
)

// Defaults of an endpoint, see the options.
const (
	defaultWorkers = 64
	defaultQueue   = 1024
	defaultTimeout = 10 * time.Second
)

// endpoint is one verb of a service. The typed part is behind invoke.
type endpoint struct {
	verb, subject, description string
	request, response          reflect.Type
	metadata                   map[string]string
	workers, queue             int
	timeout                    time.Duration
	invoke                     func(ctx context.Context, data []byte) ([]byte, error)
	describeAct                func(req, res any) (target, detail string) // nil: changes nothing, see WithAudit
	spanOptions                []trace.SpanStartOption

	pool      *pool[arrival]
	metrics   endpointMetrics
	served    atomic.Int64
	failed    atomic.Int64
	busy      atomic.Int64 // nanoseconds from arrival to answer
	lastError atomic.Pointer[string]
}

// EndpointOption changes a default of Handle.
type EndpointOption func(*endpoint)

// WithWorkers sets how many requests of the endpoint run at once (default 64).
func WithWorkers(n int) EndpointOption { return func(e *endpoint) { e.workers = n } }

// WithQueue sets how many requests may wait for a worker (default 1024) before callers get unavailable.
func WithQueue(n int) EndpointOption { return func(e *endpoint) { e.queue = n } }

// WithTimeout bounds one request of the endpoint (default 10s). A caller's earlier deadline wins.
func WithTimeout(d time.Duration) EndpointOption { return func(e *endpoint) { e.timeout = d } }

// validator is implemented by request types with rules of their own. It returns wire.Invalid.
type validator interface{ Validate() error }

// Handle adds the endpoint <name>.<verb>. Verb is lower-case words joined by dashes. It must be called before Run.
// h gets the decoded and validated request; its error reaches the caller as From makes it.
func Handle[Req, Res any](s *Service, verb, description string, h func(context.Context, Req) (Res, error), opts ...EndpointOption) {
	e := &endpoint{
		verb: verb, subject: s.cfg.Name + "." + verb, description: description,
		request: reflect.TypeFor[Req](), response: reflect.TypeFor[Res](),
		workers: defaultWorkers, queue: defaultQueue, timeout: defaultTimeout,
	}
	e.spanOptions = rpc(e.subject, trace.SpanKindServer)
	for _, o := range opts {
		o(e)
	}
	e.invoke = func(ctx context.Context, data []byte) ([]byte, error) {
		var req Req
		if err := decode(data, &req); err != nil {
			return nil, err
		}
		res, err := h(ctx, req)
		if e.describeAct != nil {
			s.note(ctx, e, req, res, err)
		}
		if err != nil {
			return nil, err
		}
		return wire.Encode(res)
	}
	e.metrics = s.metrics.endpoint(s.cfg.Name, verb)
	s.endpoints = append(s.endpoints, e)
}

// decode reads a request strictly. No bytes at all mean {}, so that `nats req tracking.health ”` works.
func decode(data []byte, req any) error {
	if len(data) == 0 {
		data = []byte("{}")
	}
	if err := wire.Decode(data, req); err != nil {
		return err
	}
	if v, ok := req.(validator); ok {
		return v.Validate()
	}
	return nil
}

// arrival is a request and when it came.
type arrival struct {
	msg *nats.Msg
	at  time.Time
}

// accept runs on the subscription's only goroutine: it queues the request or refuses it, and never waits.
func (s *Service) accept(e *endpoint, msg *nats.Msg) {
	if !mayAnswer(msg.Reply) {
		s.forged(msg)
		return
	}
	if !e.pool.add(arrival{msg, time.Now()}) {
		e.metrics.refused.Inc()
		busy := E(CodeUnavailable, "too many requests are waiting")
		busy.RetryAfter = time.Second
		s.answer(context.Background(), e, msg, busy)
	}
}

// mayAnswer reports whether a reply subject is an inbox. A caller could name any subject that this role may publish to,
// such as events.…, and have the answer forge a message there in this role's name. A message without a reply subject is
// no request: JetStream, made to deliver to an endpoint's subject, sends such, and they would run as the operator's.
func mayAnswer(reply string) bool {
	return strings.HasPrefix(reply, "_INBOX.") || strings.HasPrefix(reply, "_INBOX_")
}

// forged logs a request that mayAnswer refuses. It gets no answer: there is nowhere to send one.
func (s *Service) forged(msg *nats.Msg) {
	s.log.Warn("request refused: its reply subject is no inbox", "subject", msg.Subject, "reply", msg.Reply)
}

// serve runs one request and answers it.
func (s *Service) serve(base context.Context, e *endpoint, a arrival) {
	in := newIncoming(base, a.msg.Header, e.deadline(a.msg.Header, a.at))
	defer in.finish()
	ctx, end := s.span(in, e, a.msg.Header)

	// A request whose deadline has passed, because it waited here or in a paused process, is refused unread: its
	// caller has gone and may have tried elsewhere.
	err := in.expired(time.Now())
	var data []byte
	if err == nil {
		data, err = e.run(ctx, a.msg.Data)
	}
	if err == nil {
		err = respond(in, a.msg, data)
	}
	failure := From(err)
	if failure != nil {
		s.report(ctx, e, failure)
		s.answer(ctx, e, a.msg, failure)
	}
	e.observe(time.Since(a.at), failure)
	s.audit(ctx, e, failure)
	end(failure)
}

// answerAgain is the pause between two looks whether a lost connection is there again.
const answerAgain = 10 * time.Millisecond

// respond sends a good answer. While the connection is lost it takes nothing. The work is done by then and any other
// answer would be untrue, so the good one waits until the connection is there again, as long as the caller does.
func respond(in *incoming, msg *nats.Msg, data []byte) error {
	for {
		err := msg.Respond(data)
		if !errors.Is(err, nats.ErrReconnectBufExceeded) {
			return err
		}
		if gone := in.expired(time.Now()); gone != nil {
			return fmt.Errorf("answer: %w: %w", err, gone)
		}
		pause(in, answerAgain)
	}
}

// run calls invoke and turns a panic into an error.
func (e *endpoint) run(ctx context.Context, data []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return e.invoke(ctx, data)
}

// panicError is a recovered panic. It becomes "internal" and is logged with its stack.
type panicError struct {
	value any
	stack []byte
}

// Error gives the panic's value; the stack is logged apart.
func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// answer sends an error: the micro headers for every client, and the whole error as JSON for the kit's. It is short,
// so it also gets through when the good answer was too large for the server.
func (s *Service) answer(ctx context.Context, e *endpoint, msg *nats.Msg, failure *Error) {
	body, err := encodeError(failure)
	if err == nil {
		err = msg.RespondMsg(&nats.Msg{Data: body, Header: nats.Header{
			natsmicro.ErrorCodeHeader: {strconv.Itoa(failure.Code.HTTP())},
			natsmicro.ErrorHeader:     {headerSafe(failure.Message)},
		}})
	}
	if err != nil {
		s.log.WarnContext(ctx, "error not answered", "endpoint", e.verb, "error", err)
	}
}

// headerSafe keeps a message on one header line.
func headerSafe(message string) string {
	message = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, message)
	if message == "" {
		return "error"
	}
	return message
}

// deadline gives when the request ends: a little before the caller stops waiting, so that the answer arrives in time.
func (e *endpoint) deadline(header nats.Header, arrived time.Time) time.Time {
	deadline := arrived.Add(e.timeout)
	if ms, err := strconv.ParseInt(header.Get(HeaderDeadline), 10, 64); err == nil {
		if theirs := time.UnixMilli(ms); theirs.Before(deadline) {
			deadline = theirs.Add(-min(100*time.Millisecond, theirs.Sub(arrived)/10))
		}
	}
	return deadline
}

// audit records every request that came without an actor header, since it ran with the operator's rights.
func (s *Service) audit(ctx context.Context, e *endpoint, failure *Error) {
	if actor := ActorFrom(ctx); actor.Role == RoleOperator && s.log.Enabled(ctx, slog.LevelInfo) {
		outcome := "ok"
		if failure != nil {
			outcome = string(failure.Code)
		}
		s.log.InfoContext(ctx, "operator request", "endpoint", e.verb, "outcome", outcome)
	}
}

// report logs internal errors once, with cause and stack; what the client sees holds neither.
func (s *Service) report(ctx context.Context, e *endpoint, failure *Error) {
	if failure.Code != CodeInternal {
		s.log.DebugContext(ctx, "request failed", "endpoint", e.verb, "error", failure)
		return
	}
	attrs := []any{"endpoint", e.verb, "error", failure}
	if p := (*panicError)(nil); errors.As(failure.cause, &p) {
		attrs = append(attrs, "stack", string(p.stack))
	}
	s.log.ErrorContext(ctx, "internal error", attrs...)
}
