package restaurant

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"tiffin/local/testenv"
	"tiffin/micro"
)

// house is a restaurant service that keeps its first lone quote until it is let go.
type house struct {
	began, release chan struct{}
	lone, shared   atomic.Int64 // quotes asked for by themselves, and together
	requests       atomic.Int64 // for those that were asked together
}

// theDish is on every menu of a house, noDish on none.
const (
	theDish = "0123456789abcdef01234567"
	noDish  = "ffffffffffffffffffffffff"
)

func (h *house) quote(_ context.Context, req QuoteRequest) (Quote, error) {
	if h.lone.Add(1) == 1 {
		close(h.began)
		<-h.release
	}
	return h.answer(req)
}

func (h *house) quotes(_ context.Context, req QuotesRequest) (res QuotesResponse, _ error) {
	h.requests.Add(1)
	h.shared.Add(int64(len(req.Quotes)))
	for _, one := range req.Quotes {
		quote, err := h.answer(one)
		if err != nil {
			res.Quotes = append(res.Quotes, nil)
			continue
		}
		res.Quotes = append(res.Quotes, &quote)
	}
	return res, nil
}

func (h *house) answer(req QuoteRequest) (Quote, error) {
	if req.Items[0].MenuItemID == noDish {
		return Quote{}, micro.E(micro.CodeInvalid, "not on the menu")
	}
	return Quote{Restaurant: Restaurant{ID: req.RestaurantID}, Items: []QuotedItem{{Quantity: req.Items[0].Quantity}}}, nil
}

// open serves a house over NATS, returns a Quoter of it whose first quote is under way, and how that one ends.
func (h *house) open(t *testing.T, patience time.Duration, handles ...func(*micro.Service)) (q *Quoter, first func() error) {
	t.Helper()
	h.began, h.release = make(chan struct{}), make(chan struct{})
	ns := testenv.NATS(t)
	service := micro.NewService(micro.ServiceConfig{Name: ServiceName, Version: ServiceVersion, Conn: ns.Conn(ServiceName)})
	micro.Handle(service, VerbQuote, "A quote", h.quote)
	for _, handle := range handles {
		handle(service)
	}
	ctx, stop := context.WithCancel(context.Background())
	var end error
	var ended sync.WaitGroup
	ended.Go(func() { end = service.Run(ctx) })
	t.Cleanup(func() { stop(); ended.Wait(); require.NoError(t, end) })
	<-service.Ready()
	q = NewQuoter(NewClient(micro.NewClient(ns.Conn("order"), micro.ClientConfig{})))
	q.patience = patience
	failed := make(chan error, 1)
	go func() { _, err := q.Quote(context.Background(), wantedDish(theDish, 1)); failed <- err }()
	<-h.began
	return q, sync.OnceValue(func() error { close(h.release); return <-failed })
}

// together lets a house answer many at once.
func (h *house) together(s *micro.Service) { micro.Handle(s, VerbQuotes, "Quotes", h.quotes) }

func wantedDish(dish string, quantity int) QuoteRequest {
	return QuoteRequest{RestaurantID: theDish, Items: []QuoteLine{{MenuItemID: dish, Quantity: quantity}}}
}

// gathered waits until n quotes wait.
func gathered(t *testing.T, q *Quoter, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return len(q.waiting) == n
	}, 10*time.Second, time.Millisecond)
}

// Those that are wanted while one is under way go together, each gets its own answer, and who is refused is told why.
func TestQuotesGather(t *testing.T) {
	t.Parallel()
	var h house
	q, first := h.open(t, time.Hour, h.together)
	const many = MaxQuotes - 1
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			quote, err := q.Quote(t.Context(), wantedDish(theDish, i+1))
			if err != nil || quote.Items[0].Quantity != i+1 {
				t.Errorf("quote %d: %+v, %v", i, quote, err)
			}
		})
	}
	all.Go(func() {
		_, err := q.Quote(t.Context(), wantedDish(noDish, 1))
		if micro.CodeOf(err) != micro.CodeInvalid {
			t.Errorf("a dish that is not on the menu: %v", err)
		}
	})
	gathered(t, q, many+1)
	require.NoError(t, first())
	all.Wait()
	require.EqualValues(t, 1, h.requests.Load())
	require.EqualValues(t, many+1, h.shared.Load())
	require.EqualValues(t, 2, h.lone.Load(), "the first, and the refused one to hear why")
	require.Eventually(t, func() bool { q.mu.Lock(); defer q.mu.Unlock(); return !q.underWay }, 10*time.Second, time.Millisecond)
}

// One request without an answer does not hold up those that come after it.
func TestALostQuoteHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	var h house
	q, first := h.open(t, quotesPatience, h.together)
	for i := range 5 {
		quote, err := q.Quote(t.Context(), wantedDish(theDish, i+1))
		require.NoError(t, err)
		require.Equal(t, i+1, quote.Items[0].Quantity)
	}
	require.NoError(t, first())
}

// An instance that cannot answer many at once, as those of an earlier version, answers each.
func TestQuotesOfAnOlderService(t *testing.T) {
	t.Parallel()
	var h house
	q, first := h.open(t, quotesPatience)
	_, err := q.Quote(t.Context(), wantedDish(theDish, 1))
	require.NoError(t, err)
	require.Zero(t, h.shared.Load())
	require.NoError(t, first())
}

// A recorded trace has its quote to itself, and does not wait for others.
func TestARecordedTraceAsksAlone(t *testing.T) {
	t.Parallel()
	var h house
	q, first := h.open(t, time.Hour, h.together)
	recorded := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	}))
	_, err := q.Quote(recorded, wantedDish(theDish, 1))
	require.NoError(t, err)
	require.EqualValues(t, 2, h.lone.Load())
	require.Zero(t, h.shared.Load())
	require.NoError(t, first())
}

// Who gives up is told so, and nobody else notices.
func TestWhoGivesUpWaitingForAQuote(t *testing.T) {
	t.Parallel()
	var h house
	q, first := h.open(t, time.Hour, h.together)
	impatient, give := context.WithCancel(t.Context())
	gone, stays := make(chan error, 1), make(chan error, 1)
	go func() { _, err := q.Quote(impatient, wantedDish(theDish, 1)); gone <- err }()
	go func() { _, err := q.Quote(t.Context(), wantedDish(theDish, 2)); stays <- err }()
	gathered(t, q, 2)
	give()
	require.Equal(t, micro.CodeTimeout, micro.CodeOf(<-gone))
	require.NoError(t, first())
	require.NoError(t, <-stays)
}
