package wholefleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"
)

// addedTimeout is how long an added instance may take until it is at work: to
// start, and then to be handed the first requests.
const addedTimeout = 30 * time.Second

// addInstance starts one more instance of order while orders flow, and gives how
// many requests it had answered when it was first seen at work, and how long
// after it had announced itself that was.
func (p *plant) addInstance(ctx context.Context) (requests int, took time.Duration, err error) {
	before, err := p.stats("order")
	if err != nil {
		return 0, 0, err
	}
	if _, err := p.runRole(ctx, "order", fmt.Sprintf("order-%d", instances+1)); err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, addedTimeout)
	defer cancel()
	var announced time.Time
	for ctx.Err() == nil {
		now, err := p.stats("order")
		if err != nil {
			return 0, 0, err
		}
		for id, n := range now {
			if _, old := before[id]; old {
				continue
			}
			if announced.IsZero() {
				announced = time.Now()
			}
			if n > 0 {
				return n, time.Since(announced), nil
			}
		}
	}
	return 0, 0, errors.New("an added instance of order got no work")
}

// stats asks all instances of a service, as `nats micro stats` does, and gives
// by instance how many requests it has answered.
func (p *plant) stats(service string) (map[string]int, error) {
	inbox := p.ops.NewInbox()
	answers, err := p.ops.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	subject, err := natsmicro.ControlSubject(natsmicro.StatsVerb, service, "")
	if err != nil {
		return nil, err
	}
	if err := p.ops.PublishRequest(subject, inbox, nil); err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for {
		m, err := answers.NextMsg(300 * time.Millisecond)
		if errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) {
			return counts, answers.Unsubscribe()
		}
		if err != nil {
			return nil, err
		}
		var stats natsmicro.Stats
		if err := json.Unmarshal(m.Data, &stats); err != nil {
			return nil, err
		}
		for _, endpoint := range stats.Endpoints {
			counts[stats.ID] += endpoint.NumRequests
		}
	}
}
