package restaurant

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

const (
	// quotesPatience is how long a request that nobody answers keeps the next ones waiting.
	quotesPatience = 20 * time.Millisecond
	// quotesTimeout bounds a request for many. Who gets nothing from it asks alone.
	quotesTimeout = time.Second
)

// Quoter asks for quotes as Client.Quote does. A quote that is wanted while none is under way goes at once and by itself;
// those that are wanted meanwhile go together, because over NATS the request costs several times what the quote in it
// does. It is safe for concurrent use.
type Quoter struct {
	client   *Client
	patience time.Duration

	mu       sync.Mutex
	underWay bool // what makes the next ones gather
	waiting  []*wanted
}

// wanted is one quote that waits for others to be under way no longer. done has room for the answer, which is nil where
// the caller shall ask alone.
type wanted struct {
	req  QuoteRequest
	done chan *Quote
}

// NewQuoter makes a Quoter over c.
func NewQuoter(c *Client) *Quoter { return &Quoter{client: c, patience: quotesPatience} }

// Quote is Client.Quote. A quote of a recorded trace goes by itself, so that the trace shows all of it.
func (q *Quoter) Quote(ctx context.Context, req QuoteRequest) (Quote, error) {
	if trace.SpanContextFromContext(ctx).IsSampled() {
		return q.client.Quote(ctx, req)
	}
	w := q.wait(req)
	if w == nil {
		end := q.begun()
		defer end()
		return q.client.Quote(ctx, req)
	}
	select {
	case quote := <-w.done:
		if quote != nil {
			return *quote, nil
		}
	case <-ctx.Done(): // which the client words
	}
	return q.client.Quote(ctx, req)
}

// wait adds a quote to those that wait, or returns nil: it may go.
func (q *Quoter) wait(req QuoteRequest) *wanted {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.underWay {
		q.underWay = true
		return nil
	}
	w := &wanted{req: req, done: make(chan *Quote, 1)}
	q.waiting = append(q.waiting, w)
	return w
}

// begun returns how to say that the request under way has ended. When patience ends, the next ones go all the same.
func (q *Quoter) begun() (end func()) {
	next := sync.OnceFunc(q.next)
	timer := time.AfterFunc(q.patience, next)
	return func() {
		timer.Stop()
		next()
	}
}

// next sends those who wait on their way.
func (q *Quoter) next() {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), MaxQuotes)
	if n == 0 {
		q.underWay = false
		return
	}
	group := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	go q.together(group)
}

// together asks for many and tells everybody who waits. The context is none of theirs: who gives up must not take the
// others along.
func (q *Quoter) together(group []*wanted) {
	end := q.begun()
	defer end()
	req := QuotesRequest{Quotes: make([]QuoteRequest, len(group))}
	for i, w := range group {
		req.Quotes[i] = w.req
	}
	ctx, cancel := context.WithTimeout(context.Background(), quotesTimeout)
	defer cancel()
	res, err := q.client.Quotes(ctx, req)
	if err != nil || len(res.Quotes) != len(group) {
		res.Quotes = make([]*Quote, len(group))
	}
	for i, w := range group {
		w.done <- res.Quotes[i]
	}
}
