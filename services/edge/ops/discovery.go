package ops

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"

	"tiffin/wire"
)

// Bounds of a roll call. The page that shows it is opened by people, who notice
// a second and nothing shorter.
const (
	// discoveryTimeout bounds the roll call, discoveryQuiet ends it when no
	// further instance answers.
	discoveryTimeout = time.Second
	discoveryQuiet   = 150 * time.Millisecond
	// maxInstances bounds what one overview holds.
	maxInstances = 1000
)

// Service is a micro service and its running instances.
type Service struct {
	Name      string     `json:"name"`
	Instances []Instance `json:"instances"`
}

// Instance is one running instance of a service with its figures since it
// started.
type Instance struct {
	ID        string     `json:"id"`
	Version   string     `json:"version"`
	StartedAt wire.Time  `json:"startedAt"`
	Requests  int        `json:"requests"`
	Errors    int        `json:"errors"`
	AverageMs float64    `json:"averageMs"` // over all requests
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is one verb of an instance.
type Endpoint struct {
	Name      string  `json:"name"`
	Requests  int     `json:"requests"`
	Errors    int     `json:"errors"`
	AverageMs float64 `json:"averageMs"`
}

// Discover calls the roll: every instance of every service answers $SRV.STATS.
// How many there are is unknown, so it ends when it has been quiet for a while.
func Discover(ctx context.Context, conn *nats.Conn) ([]Service, error) {
	ctx, cancel := context.WithTimeout(ctx, discoveryTimeout)
	defer cancel()
	inbox := conn.NewInbox()
	answers, err := conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	defer func() { _ = answers.Unsubscribe() }() // fails only on a closed connection, which ends it as well
	subject, err := natsmicro.ControlSubject(natsmicro.StatsVerb, "", "")
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	if err := conn.PublishRequest(subject, inbox, nil); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	byName := map[string][]Instance{}
	for range maxInstances {
		quiet, cancel := context.WithTimeout(ctx, discoveryQuiet)
		msg, err := answers.NextMsgWithContext(quiet)
		cancel()
		if err != nil {
			break // quiet, or out of time: what has answered is the roll
		}
		var stats natsmicro.Stats
		if json.Unmarshal(msg.Data, &stats) == nil && stats.Name != "" {
			byName[stats.Name] = append(byName[stats.Name], instanceOf(stats))
		}
	}
	return sorted(byName), nil
}

// instanceOf sums the endpoints up. Their last errors are left out: they are
// texts for the log.
func instanceOf(stats natsmicro.Stats) Instance {
	in := Instance{ID: stats.ID, Version: stats.Version, StartedAt: wire.At(stats.Started), Endpoints: []Endpoint{}}
	var busy time.Duration
	for _, e := range stats.Endpoints {
		in.Requests += e.NumRequests
		in.Errors += e.NumErrors
		busy += e.ProcessingTime
		in.Endpoints = append(in.Endpoints, Endpoint{
			Name: e.Name, Requests: e.NumRequests, Errors: e.NumErrors, AverageMs: average(e.ProcessingTime, e.NumRequests)})
	}
	slices.SortFunc(in.Endpoints, func(a, b Endpoint) int { return cmp.Compare(a.Name, b.Name) })
	in.AverageMs = average(busy, in.Requests)
	return in
}

// average gives milliseconds with microsecond precision.
func average(total time.Duration, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64((total / time.Duration(n)).Microseconds()) / 1000
}

// sorted gives services by name and instances by age, so that the page does not
// jump about from one look to the next.
func sorted(byName map[string][]Instance) []Service {
	services := make([]Service, 0, len(byName))
	for name, instances := range byName {
		slices.SortFunc(instances, func(a, b Instance) int { return a.StartedAt.Compare(b.StartedAt.Time) })
		services = append(services, Service{Name: name, Instances: instances})
	}
	slices.SortFunc(services, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
	return services
}
