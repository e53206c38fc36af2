package micro

import (
	"context"
	"time"
)

// Outcomes of an act.
const (
	OutcomeOK      = "ok"
	OutcomeRefused = "refused"
	OutcomeFailed  = "failed" // a fault of ours: it is unknown whether something was done
)

// Act is something that somebody did, or tried to do, at an endpoint that changes something.
type Act struct {
	At        time.Time
	Action    string // the endpoint, such as "order.status"
	Outcome   string // one of the constants
	Actor     Actor
	Target    string // id of what it was done to; empty when there is none
	Detail    string // what was done, in words of ours and never in the caller's
	RequestID string
}

// WithAudit marks an endpoint as one that changes something: what is done with it is handed to ServiceConfig.Audit,
// refused attempts among it. describe says to what and how; res is the zero value after an error.
func WithAudit[Req, Res any](describe func(req Req, res Res) (target, detail string)) EndpointOption {
	return func(e *endpoint) {
		e.describeAct = func(req, res any) (string, string) {
			q, _ := req.(Req)
			s, _ := res.(Res)
			return describe(q, s)
		}
	}
}

// note hands an act over before it is answered, so that whoever has the answer finds it in the log.
func (s *Service) note(ctx context.Context, e *endpoint, req, res any, err error) {
	if s.cfg.Audit == nil {
		return
	}
	act := Act{At: time.Now(), Action: e.subject, Outcome: OutcomeOK, Actor: ActorFrom(ctx), RequestID: RequestID(ctx)}
	act.Target, act.Detail = e.describeAct(req, res)
	if failure := From(err); failure != nil {
		act.Outcome = OutcomeRefused
		if failure.Code.HTTP() >= CodeInternal.HTTP() {
			act.Outcome = OutcomeFailed
		}
	}
	s.cfg.Audit(ctx, act)
}
