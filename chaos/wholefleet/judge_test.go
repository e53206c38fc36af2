package wholefleet

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/chaos/fault"
	"tiffin/sim"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func homeOf(city string) Home {
	return map[string]Home{"San Francisco, CA": {"us-west", "a"}, "Boston, MA": {"us-east", "b"}}[city]
}

// request is one of a customer in San Francisco, so long after noon, that took four
// seconds.
func request(after time.Duration, path string, status int) sim.Request {
	return sim.Request{City: "San Francisco, CA", Method: "GET", Path: path, Began: noon.Add(after), Took: 4 * time.Second, Status: status}
}

func TestWhatAFaultExcuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind   fault.Kind
		target string
		path   string
		after  time.Duration
		want   bool
	}{
		"in flight on a killed edge":              {fault.Kill, "edge-1", "/orders", -3 * time.Second, true},
		"just after it was killed":                {fault.Kill, "edge-1", "/orders", time.Second, true},
		"when it had been noticed":                {fault.Kill, "edge-1", "/orders", 3 * time.Second, false},
		"answered before":                         {fault.Kill, "edge-1", "/orders", -5 * time.Second, false},
		"a paused instance, until it is missed":   {fault.Pause, "order-2", "/orders?status=ready", 5 * time.Second, true},
		"a paused instance, later":                {fault.Pause, "order-2", "/orders", 16 * time.Second, false},
		"a role the request does not need":        {fault.Kill, "order-1", "/restaurants", 0, false},
		"auth is not needed by orders":            {fault.Kill, "auth-1", "/orders", 0, false},
		"a node of NATS":                          {fault.Kill, "nats-2", "/restaurants/1/menu", time.Second, true},
		"a full stream":                           {fault.Fill, "nats-2", "/orders", time.Second, false},
		"the shard of the region":                 {fault.Kill, "postgres-a", "/orders", 30 * time.Second, true},
		"the shard of the region, long back":      {fault.Kill, "postgres-a", "/orders", 36 * time.Second, false},
		"another region's shard":                  {fault.Kill, "postgres-b", "/orders", time.Second, false},
		"a paused shard needs longer":             {fault.Pause, "postgres-a", "/orders", 45 * time.Second, true},
		"Redis costs positions":                   {fault.Kill, "redis", "/delivery/1/location", 5 * time.Second, true},
		"Redis does not cost orders":              {fault.Kill, "redis", "/orders", 5 * time.Second, false},
		"RabbitMQ costs nothing":                  {fault.Kill, "rabbitmq", "/orders", 0, false},
		"the bridge costs nothing":                {fault.Kill, "bridge-1", "/orders", 0, false},
		"the document store costs menus":          {fault.Fill, "ferretdb", "/restaurants?city=SF", 5 * time.Second, true},
		"the document store does not cost orders": {fault.Fill, "ferretdb", "/orders/1", 5 * time.Second, false},
		"what is slow costs nothing":              {fault.Slow, "order-1", "/orders", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := inflicted{Fault: fault.Fault{Kind: c.kind, Target: c.target}, began: noon, ended: noon.Add(20 * time.Second)}
			require.Equal(t, c.want, f.excuses(request(c.after, c.path, 0), homeOf("San Francisco, CA")))
		})
	}
}

func TestOneInAThousandMayFail(t *testing.T) {
	t.Parallel()
	var requests []sim.Request
	for i := range 999 {
		requests = append(requests, request(time.Duration(i)*time.Second, "/orders", 200))
	}
	s := Judge(append(requests, request(time.Hour, "/orders", 503)), nil, homeOf)
	require.True(t, s.OK(), s)
	require.Equal(t, map[string]int{"us-west": 1000}, s.Judged)
	s = Judge(append(requests, request(time.Hour, "/orders", 503), request(time.Hour, "/orders", 0)), nil, homeOf)
	require.False(t, s.OK())
	require.Contains(t, s.String(), "us-west 99.800 % of 1001 untouched; the first failed: 13:00:00.000 503")

	faults := []inflicted{{Fault: fault.Fault{Kind: fault.Kill, Target: "postgres-a"}, began: noon, ended: noon.Add(time.Second)}}
	s = Judge([]sim.Request{request(0, "/orders", 503), request(0, "/orders", 200)}, faults, homeOf)
	require.True(t, s.OK())
	require.Equal(t, 1, s.Excused)
	require.Empty(t, s.Judged, "a region that a fault touches is not judged")
}

// No fault explains these, and one is too many.
func TestAWrongAnswerIsFound(t *testing.T) {
	t.Parallel()
	faults := []inflicted{{Fault: fault.Fault{Kind: fault.Kill, Target: "postgres-a"}, began: noon, ended: noon.Add(time.Second)}}
	for status, wrong := range map[int]bool{200: false, 404: false, 409: false, 503: false, 400: true, 401: true, 403: true, 422: true, 429: true, 500: true} {
		require.Equal(t, !wrong, Judge([]sim.Request{request(0, "/orders", status)}, faults, homeOf).OK(), status)
	}
}

// Positions that a fault held up arrive together, and one more in the same second is one too many.
func TestHeldUpPositionsMayBeTooMany(t *testing.T) {
	t.Parallel()
	faults := []inflicted{{Fault: fault.Fault{Kind: fault.Cut, Target: "nats-1"}, began: noon, ended: noon.Add(5 * time.Second)}}
	for name, c := range map[string]struct {
		path   string
		after  time.Duration
		status int
		ok     bool
	}{
		"meanwhile":            {"/delivery/1/location", time.Second, 429, true},
		"just after":           {"/delivery/1/location", 6 * time.Second, 429, true},
		"given up":             {"/delivery/1/location", 10 * time.Second, 429, true},
		"long after":           {"/delivery/1/location", 12 * time.Second, 429, false},
		"before":               {"/delivery/1/location", -5 * time.Second, 429, false},
		"no position":          {"/delivery/1/availability", time.Second, 429, false},
		"another wrong answer": {"/delivery/1/location", time.Second, 400, false},
	} {
		s := Judge([]sim.Request{request(c.after, c.path, c.status)}, faults, homeOf)
		require.Equal(t, c.ok, s.OK(), name)
		require.Equal(t, !c.ok, strings.Contains(s.String(), "1 wrong answers, the first: "), name)
	}
}
