package wholefleet

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"tiffin/chaos/fault"
	"tiffin/sim"
)

// tolerated is the share of requests that may fail although nothing is wrong
// with what they need.
const tolerated = 0.001

const (
	// noticed is how long it may take until requests go round what is dead, since
	// its connections end with it.
	noticed = 2 * time.Second
	// missed is the same for what is silent and keeps its connections: heartbeats
	// come every three seconds, and the third that is not answered is the end.
	missed = 12 * time.Second
	// recovered is how long a server that was away may be missed once it is back,
	// and awakened the same after a pause.
	recovered = 15 * time.Second
	awakened  = 30 * time.Second
	// held is how long the positions of a rider may wait behind one whose answer
	// was lost with what died: the five seconds an edge waits for it, and a moment.
	held = 6 * time.Second
)

// inflicted is a fault that happened.
type inflicted struct {
	fault.Fault
	began, ended time.Time
}

// excuses tells whether the failure of a request may be this fault's doing: it
// needs what is at fault, and it was in flight when the fault began, or began while
// that could not be known or helped.
//
// What there is twice or thrice costs only what was in flight on it until it was
// noticed, however long it stays away. What there is once costs what needs it
// until it is back. What is only slow costs nothing.
func (f inflicted) excuses(r sim.Request, home Home) bool {
	if !needs(r, f.Target, home) || f.Kind == fault.Slow {
		return false
	}
	until := f.began.Add(noticed)
	switch {
	case roleOf(f.Target) == "" && !strings.HasPrefix(f.Target, "nats-"):
		until = f.ended.Add(recovered)
		if f.Kind == fault.Pause {
			until = f.ended.Add(awakened)
		}
	case f.Kind == fault.Pause:
		until = f.began.Add(min(missed, f.ended.Sub(f.began)+noticed))
	case f.Kind == fault.Fill:
		return false // a full stream costs no request anything
	}
	return !r.Began.Add(r.Took).Before(f.began) && r.Began.Before(until)
}

// hurries tells whether a rider may have been told to slow down (429) because
// of this fault: positions that it held up arrive together when it ends, or when
// the edge gives up waiting for the answer to the first of them.
func (f inflicted) hurries(r sim.Request, home Home) bool {
	return r.Status == http.StatusTooManyRequests && strings.HasSuffix(r.Path, "/location") && needs(r, f.Target, home) &&
		!r.Began.Add(r.Took).Before(f.began) && r.Began.Before(f.ended.Add(held))
}

// needs tells whether a request has to do with a target. It is the contract's
// table: a dead shard costs its regions, dead Redis tracking, dead RabbitMQ
// nothing, and a dead document store menus, and so new orders.
func needs(r sim.Request, target string, home Home) bool {
	path := strings.TrimPrefix(r.Path, "/")
	part, _, _ := strings.Cut(strings.ReplaceAll(path, "?", "/"), "/")
	location := strings.HasSuffix(path, "/location")
	menu := part == "restaurants" || r.Placing()
	if shard, is := strings.CutPrefix(target, postgresPrefix); is {
		return home.Shard == shard
	}
	switch role := roleOf(target); role {
	case "edge":
		return true
	case "auth":
		return part == "auth"
	case "restaurant":
		return menu
	case "order":
		return part == "orders" || part == "delivery"
	case "delivery":
		return part == "delivery"
	case "tracking":
		return location
	case "bridge":
		return false
	}
	switch target {
	case redisServer:
		return location
	case documents:
		return menu
	case broker:
		return false
	default: // a node of NATS
		return true
	}
}

// Home is where a city's orders live.
type Home struct{ Region, Shard string }

// Service is how requests fared.
type Service struct {
	Attempts int            // that were made
	Excused  int            // that failed and may have
	Judged   map[string]int // by region: that had no excuse to fail
	Failed   map[string]int // of these: that failed all the same
	Wrong    []sim.Request  // whose answers no fault explains
	Failures []sim.Request  // those counted in Failed
}

// Judge sorts requests. A failure is no answer, or one of 500 and above; an
// answer of 4xx is wrong unless it is one of those that races of people explain.
// homeOf says where a city is.
func Judge(attempts []sim.Request, faults []inflicted, homeOf func(city string) Home) Service {
	s := Service{Attempts: len(attempts), Judged: map[string]int{}, Failed: map[string]int{}}
	homes := map[string]Home{} // of cities, which are few
	for _, r := range attempts {
		home, known := homes[r.City]
		if !known {
			home = homeOf(r.City)
			homes[r.City] = home
		}
		failed := r.Status == 0 || r.Status >= http.StatusInternalServerError
		if wrong(r) && !slices.ContainsFunc(faults, func(f inflicted) bool { return f.hurries(r, home) }) {
			s.Wrong = append(s.Wrong, r)
		}
		if slices.ContainsFunc(faults, func(f inflicted) bool { return f.excuses(r, home) }) {
			if failed {
				s.Excused++
			}
			continue
		}
		region := home.Region
		s.Judged[region]++
		if failed {
			s.Failed[region]++
			s.Failures = append(s.Failures, r)
		}
	}
	return s
}

// wrong tells whether no fault and no race of people explains an answer. Who
// plays for the first time is refused once, and then registers.
func wrong(r sim.Request) bool {
	switch r.Status {
	case http.StatusConflict, http.StatusNotFound:
		return false
	case http.StatusUnauthorized:
		return r.Path != "/auth/login"
	default:
		return r.Status >= http.StatusBadRequest && r.Status <= http.StatusInternalServerError
	}
}

// OK tells whether requests fared as promised, region by region.
func (s Service) OK() bool {
	for region, n := range s.Failed {
		if float64(n) > tolerated*float64(s.Judged[region]) {
			return false
		}
	}
	return len(s.Wrong) == 0
}

// told is a request for people.
func told(r sim.Request) string {
	return fmt.Sprintf("%s %3d after %-6s %s %s from %s", r.Began.Format("15:04:05.000"), r.Status, r.Took.Round(time.Millisecond), r.Method, r.Path, r.City)
}

// String is for people.
func (s Service) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests, %d failed by a fault that touched them", s.Attempts, s.Excused)
	for _, region := range slices.Sorted(maps.Keys(s.Judged)) {
		n, failed := s.Judged[region], s.Failed[region]
		fmt.Fprintf(&b, "; %s %.3f %% of %d untouched", region, 100*float64(n-failed)/float64(n), n)
	}
	if len(s.Failures) > 0 {
		fmt.Fprintf(&b, "; the first failed: %s", told(s.Failures[0]))
	}
	if len(s.Wrong) > 0 {
		fmt.Fprintf(&b, "; %d wrong answers, the first: %s", len(s.Wrong), told(s.Wrong[0]))
	}
	return b.String()
}
