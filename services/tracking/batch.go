package tracking

import (
	"context"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"tiffin/micro"
	"tiffin/wire"
)

// MaxBatch is how many fixes one LocationsRequest may carry.
const MaxBatch = 128

// LocationsRequest is what an edge hands in at once: fixes of many riders, each with who sent it. It is judged fix by
// fix as if each had come by itself; only services may speak for others like this.
type LocationsRequest struct {
	Fixes []SentFix `json:"fixes"`
}

// SentFix is a fix and its sender, whom the edge knows by their token.
type SentFix struct {
	ActorID   string          `json:"actorId"`
	ActorRole string          `json:"actorRole"`
	Fix       LocationRequest `json:"fix"`
}

// LocationsResponse answers each fix of a LocationsRequest, in its order.
type LocationsResponse struct {
	Answers []FixAnswer `json:"answers"`
}

// FixAnswer is the answer to one fix: a LocationResponse, or an error where Code is set.
type FixAnswer struct {
	RecordedAt wire.Time  `json:"recordedAt"`
	Accepted   bool       `json:"accepted,omitzero"`
	Reason     string     `json:"reason,omitzero"`
	Code       micro.Code `json:"code,omitzero"`
	Message    string     `json:"message,omitzero"`
	RetryAfter int        `json:"retryAfter,omitzero"` // seconds
	// Alone asks to hand the fix in by itself: what its rider carries has to be asked first, and the others in the
	// batch shall not wait for that. Nothing was done with it.
	Alone bool `json:"alone,omitzero"`
}

// AnswerOf words what became of a fix.
func AnswerOf(res LocationResponse, err error) FixAnswer {
	a := FixAnswer{RecordedAt: res.RecordedAt, Accepted: res.Accepted, Reason: res.Reason}
	if e := micro.From(err); e != nil {
		a.Code, a.Message, a.RetryAfter = e.Code, e.Message, int(math.Ceil(e.RetryAfter.Seconds()))
	}
	return a
}

// result is the way back from AnswerOf.
func (a FixAnswer) result() (LocationResponse, error) {
	if a.Code != "" {
		err := micro.E(a.Code, "%s", a.Message)
		err.RetryAfter = time.Duration(a.RetryAfter) * time.Second
		return LocationResponse{}, err
	}
	return LocationResponse{RecordedAt: a.RecordedAt, Accepted: a.Accepted, Reason: a.Reason}, nil
}

const (
	// loners is how many fixes of one edge may be under way by themselves. It is what makes the next ones gather: were
	// there no bound, each would find the way free and none would ever have company.
	loners = 4
	// batchers is how many batches of one edge may be under way: with two cores or more, one is written while others
	// are read, judged and stored.
	batchers = 4
	// batchTimeout bounds a request; the service itself gives Redis less.
	batchTimeout = 3 * time.Second
)

// Batcher hands in fixes for an edge. A lone fix goes by itself and at once; those that come while some are under way go
// together, because over NATS the request costs several times what the fix in it does.
type Batcher struct {
	client *Client
	in     chan *sending
	alone  chan struct{} // holds one for each fix under way by itself
}

// sending is one fix on its way. done is closed when answer and err are set.
type sending struct {
	ctx    context.Context //nolint:containedctx // the caller's, who waits
	req    LocationRequest
	answer LocationResponse
	err    error
	done   chan struct{}
}

// NewBatcher makes a Batcher over c. Nothing is sent before Run.
func NewBatcher(c *Client) *Batcher {
	return &Batcher{client: c, in: make(chan *sending, batchers*MaxBatch), alone: make(chan struct{}, loners)}
}

// Location is Client.Location. It returns ctx's error when ctx ends first; the fix may have been taken in all the same.
func (b *Batcher) Location(ctx context.Context, req LocationRequest) (LocationResponse, error) {
	s := &sending{ctx: ctx, req: req, done: make(chan struct{})}
	select {
	case b.in <- s:
	case <-ctx.Done():
		return LocationResponse{}, ctx.Err()
	}
	select {
	case <-s.done:
		return s.answer, s.err
	case <-ctx.Done():
		return LocationResponse{}, ctx.Err()
	}
}

// Run sends until ctx ends.
func (b *Batcher) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range batchers {
		g.Go(func() error { return b.loop(ctx) })
	}
	return g.Wait()
}

func (b *Batcher) loop(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-b.in:
			if len(b.in) > 0 || !b.sendAlone(first) {
				b.send(b.gather(first))
			}
		}
	}
}

// sendAlone sends one fix by itself and does not wait for its answer, which a question to delivery may delay. False when
// too many are under way so.
func (b *Batcher) sendAlone(s *sending) bool {
	select {
	case b.alone <- struct{}{}:
	default:
		return false
	}
	go func() {
		defer func() { <-b.alone }()
		s.alone(b.client)
	}()
	return true
}

// gather adds what is waiting already, without waiting for more. A rider's next fix comes after the answer to the last,
// so no order within a batch can be wrong.
func (b *Batcher) gather(first *sending) []*sending {
	batch := []*sending{first}
	for len(batch) < MaxBatch {
		select {
		case next := <-b.in:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// send hands a batch in and tells everybody who waits.
func (b *Batcher) send(batch []*sending) {
	req := LocationsRequest{Fixes: make([]SentFix, len(batch))}
	for i, s := range batch {
		actor := micro.ActorFrom(s.ctx)
		req.Fixes[i] = SentFix{ActorID: actor.ID, ActorRole: actor.Role, Fix: s.req}
	}
	// Not the context of any of them: who gives up must not take the others along.
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	res, err := b.client.Locations(ctx, req)
	if err == nil && len(res.Answers) != len(batch) {
		err = micro.E(micro.CodeInternal, "%d answers to %d fixes", len(res.Answers), len(batch))
	}
	for i, s := range batch {
		switch {
		case err != nil:
			s.finish(LocationResponse{}, err)
		case res.Answers[i].Alone:
			go s.alone(b.client)
		default:
			s.finish(res.Answers[i].result())
		}
	}
}

// alone hands the fix in by itself. It has its own goroutine, so that what takes long for one rider delays no other.
func (s *sending) alone(c *Client) { s.finish(c.Location(s.ctx, s.req)) }

func (s *sending) finish(answer LocationResponse, err error) {
	s.answer, s.err = answer, err
	close(s.done)
}
